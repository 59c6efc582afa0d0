using HdrHistogram;
using OrderInventory.Check.Histories;

namespace OrderInventory.Load.Histories;

/// <summary>Latencies by operation and by second. They are measured from when a request was due.</summary>
internal sealed class Figures
{
    private readonly Lock _lock = new();

    public SortedDictionary<Op, LongHistogram> ByOp { get; } = [];

    public List<Second> Seconds { get; } = [];

    public SortedDictionary<string, int> Errors { get; } = [];

    public void Add(Operation answered)
    {
        lock (_lock)
        {
            var second = (int)(answered.End / 1000);
            while (Seconds.Count <= second)
            {
                Seconds.Add(new());
            }

            if (answered.IsOpen)
            {
                var error = answered.Status?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? answered.Error ?? "no answer";
                Errors[error] = Errors.GetValueOrDefault(error) + 1;
                Seconds[second].Failed++;
                return;
            }

            if (!ByOp.TryGetValue(answered.Op, out var histogram))
            {
                ByOp[answered.Op] = histogram = Report.NewHistogram();
            }

            var time = TimeSpan.FromMilliseconds(answered.End - answered.Intended);
            Report.RecordTo(histogram, time);
            Seconds[second].Answered++;
            Seconds[second].Latencies.Add(time.TotalMilliseconds);
        }
    }

    /// <summary>Answers in the last whole second, and requests without an answer so far.</summary>
    public (int Answered, int Failed) Last()
    {
        lock (_lock)
        {
            return Seconds.Count < 2 ? (0, 0) : (Seconds[^2].Answered, Seconds.Sum(second => second.Failed));
        }
    }

    /// <summary>The largest number of answers per second, as the average of this many consecutive whole seconds.</summary>
    public double Best(int seconds)
    {
        lock (_lock)
        {
            return Enumerable.Range(0, Math.Max(0, Seconds.Count - seconds)).Select(from => Seconds.Skip(from).Take(seconds).Average(second => second.Answered)).DefaultIfEmpty(0).Max();
        }
    }

    internal sealed class Second
    {
        public int Answered { get; set; }

        public int Failed { get; set; }

        public List<double> Latencies { get; } = [];

        public double Percentile(double part) => Latencies.Count == 0 ? 0 : Latencies.Order().ElementAt((int)Math.Min(Latencies.Count - 1, Latencies.Count * part));
    }
}
