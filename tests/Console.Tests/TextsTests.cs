using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace OrderInventory.Console.Tests;

/// <summary>Every text of a page has a German translation. The English text is the key, so nothing else fails when one is missing.</summary>
public sealed partial class TextsTests
{
    [Fact]
    public void Every_text_has_a_German_translation()
    {
        var folder = Path.Combine(Repository(), "services/Console");
        var german = XDocument.Load(Path.Combine(folder, "Resources/Texts.de.resx")).Descendants("data").Select(data => (string)data.Attribute("name")!).ToHashSet();
        var used = Directory.EnumerateFiles(Path.Combine(folder, "Components"), "*.razor", SearchOption.AllDirectories)
            .SelectMany(file => UsedText().Matches(File.ReadAllText(file)).Select(match => match.Groups[1].Value)).ToHashSet();
        Assert.True(used.Count > 100);
        Assert.Empty(used.Except(german));
    }

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
}
