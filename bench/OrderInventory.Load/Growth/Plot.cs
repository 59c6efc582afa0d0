using System.Globalization;
using System.Net;
using System.Text;

namespace OrderInventory.Load.Growth;

/// <summary>A line of a plot; both numbers above 0.</summary>
internal sealed record Series(string Name, IReadOnlyList<(double X, double Y)> Points, bool Bold = false);

/// <summary>
/// A plot with two logarithmic axes, as SVG. A value that does not grow is a horizontal line; one that grows with the number of orders rises as
/// steeply as the grid's diagonal.
/// </summary>
internal static class Plot
{
    private const int Left = 60, Top = 20, Bottom = 50, Decade = 110, LabelWidth = 280, LabelHeight = 18;
    private static readonly string[] s_colours = ["#1b6ca8", "#c0392b", "#2e8b57", "#8e44ad", "#b7791f", "#16a2b8", "#7f8c8d"];

    public static string Draw(string xTitle, string yTitle, IReadOnlyList<Series> series)
    {
        var points = series.SelectMany(line => line.Points).ToList();
        var (x0, x1) = (Floor(points.Min(point => point.X)), Ceiling(points.Max(point => point.X)));
        var (y0, y1) = (Floor(points.Min(point => point.Y)), Ceiling(points.Max(point => point.Y)));
        x1 = Math.Max(x1, x0 + 1);
        var (width, height) = (Decade * 1.6 * (x1 - x0), Math.Max(Decade * Math.Max(1, y1 - y0), (series.Count * LabelHeight) + LabelHeight));
        double X(double value) => Left + (width * (Math.Log10(value) - x0) / (x1 - x0));
        double Y(double value) => Top + height - (height * (Math.Log10(Math.Max(value, Math.Pow(10, y0))) - y0) / Math.Max(1, y1 - y0));

        var svg = new StringBuilder();
        Add($"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{Left + width + LabelWidth:F0}\" height=\"{Top + height + Bottom:F0}\" font-family=\"sans-serif\" font-size=\"12\">");
        Add($"<rect width=\"100%\" height=\"100%\" fill=\"white\"/>");
        for (var x = x0; x <= x1; x++)
        {
            Add($"<path d=\"M{X(Math.Pow(10, x)):F1} {Top}v{height:F1}\" stroke=\"#ddd\"/><text x=\"{X(Math.Pow(10, x)):F1}\" y=\"{Top + height + 18:F1}\" text-anchor=\"middle\">{Math.Pow(10, x):N0}</text>");
        }

        for (var y = y0; y <= y1; y++)
        {
            Add($"<path d=\"M{Left} {Y(Math.Pow(10, y)):F1}h{width:F1}\" stroke=\"#ddd\"/><text x=\"{Left - 8}\" y=\"{Y(Math.Pow(10, y)) + 4:F1}\" text-anchor=\"end\">{Math.Pow(10, y):G4}</text>");
        }

        Add($"<text x=\"{Left + (width / 2):F1}\" y=\"{Top + height + 40:F1}\" text-anchor=\"middle\">{Escape(xTitle)}</text>");
        Add($"<text transform=\"translate(16 {Top + (height / 2):F1}) rotate(-90)\" text-anchor=\"middle\">{Escape(yTitle)}</text>");

        // Labels are spaced evenly next to the ends of the lines, in the same order, so that none covers another.
        var rank = 0;
        foreach (var (line, number) in series.Select((line, number) => (line, number)).OrderBy(item => Y(item.line.Points[^1].Y)))
        {
            var colour = line.Bold ? "black" : s_colours[number % s_colours.Length];
            Add($"<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"{(line.Bold ? 3 : 1.5)}\" points=\"{string.Join(' ', line.Points.Select(p => string.Create(CultureInfo.InvariantCulture, $"{X(p.X):F1},{Y(p.Y):F1}")))}\"/>");
            foreach (var (x, y) in line.Points)
            {
                Add($"<circle cx=\"{X(x):F1}\" cy=\"{Y(y):F1}\" r=\"2.5\" fill=\"{colour}\"/>");
            }

            var (end, at) = (line.Points[^1], Top + (height * (rank++ + 0.5) / series.Count));
            Add($"<path d=\"M{X(end.X) + 4:F1} {Y(end.Y):F1}L{Left + width + 36:F1} {at - 4:F1}\" stroke=\"{colour}\" stroke-width=\"0.5\"/>");
            Add($"<text x=\"{Left + width + 38:F1}\" y=\"{at:F1}\" fill=\"{colour}\">{Escape(line.Name)}</text>");
        }

        return svg.Append("</svg>\n").ToString();

        void Add(FormattableString text) => svg.Append(text.ToString(CultureInfo.InvariantCulture)).Append('\n');
    }

    private static double Floor(double value) => Math.Floor(Math.Log10(Math.Max(value, 0.01)));

    private static double Ceiling(double value) => Math.Ceiling(Math.Log10(Math.Max(value, 0.01)));

    private static string Escape(string text) => WebUtility.HtmlEncode(text);
}
