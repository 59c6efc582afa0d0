using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace OrderInventory.Console.Tests;

/// <summary>Every text of a page has a German translation. The English text is the key, so nothing else fails when one is missing.</summary>
public sealed partial class TextsTests
{
    private static readonly string s_repository = Repository();

    [Fact]
    public void Every_text_has_a_German_translation()
    {
        var used = Directory.EnumerateFiles(Path.Combine(s_repository, "services/Console/Components"), "*.razor", SearchOption.AllDirectories)
            .SelectMany(file => UsedText().Matches(File.ReadAllText(file)).Select(match => match.Groups[1].Value)).ToHashSet();
        Assert.True(used.Count > 100);
        Assert.Empty(used.Except(German()));
    }

    [Fact]
    public void Every_title_of_a_problem_has_a_German_translation()
    {
        var german = German();
        var titles = new[] { "services", "OrderInventory.ServiceDefaults" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(s_repository, folder), "*.cs", SearchOption.AllDirectories))
            .Select(File.ReadAllText)
            .SelectMany(source => Title().Matches(source).Select(match => match.Groups[1].Value)
                .Concat(NotFoundTitle().Matches(source).Select(match => $"The {match.Groups[1].Value} does not exist.")))
            .ToHashSet();
        Assert.True(titles.Count > 50);
        // A part in braces is known only at run time: at least one such text must be there.
        Assert.DoesNotContain(titles, title => !german.Any(new Regex($"^{string.Join(".+", Regex.Split(title, "{[^}]*}").Select(Regex.Escape))}$").IsMatch));
    }

    private static HashSet<string> German() => [.. XDocument.Load(Path.Combine(s_repository, "services/Console/Resources/Texts.de.resx")).Descendants("data")
        .Select(data => (string)data.Attribute("name")!)];

    private static string Repository()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "OrderInventory.sln")))
        {
            folder = Path.GetDirectoryName(folder)!;
        }

        return folder;
    }

    [GeneratedRegex("""T\["([^"]+)"\]""")]
    private static partial Regex UsedText();

    /// <summary>The text after a problem's code, or after the status of one of the console's own problems.</summary>
    [GeneratedRegex("""(?:\b(?:Of|Conflict|Unprocessable)\(\s*"[a-z-]+"|new\(\d{3}, null),\s*\$?"([^"]+)""")]
    private static partial Regex Title();

    [GeneratedRegex("""\bNotFound\("([a-z ]+)",""")]
    private static partial Regex NotFoundTitle();
}
