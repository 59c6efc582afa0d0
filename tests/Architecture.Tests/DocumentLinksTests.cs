using System.Text.RegularExpressions;

namespace OrderInventory.Architecture.Tests;

/// <summary>Links in the documents must lead to something that exists.</summary>
public partial class DocumentLinksTests
{
    public static TheoryData<string> Documents => [.. Repository.Files(".", "*.md")];

    [Theory]
    [MemberData(nameof(Documents))]
    public void Every_link_leads_to_a_file(string document)
    {
        var folder = Path.GetDirectoryName(Path.Combine(Repository.Root, document))!;
        foreach (var link in Link().Matches(Repository.Read(document)).Select(match => match.Groups["target"].Value))
        {
            if (link.Contains("://", StringComparison.Ordinal) || link.StartsWith('#') || link.StartsWith("mailto:", StringComparison.Ordinal))
            {
                continue;
            }

            var target = Path.GetFullPath(Path.Combine(folder, link.Split('#')[0]));
            Assert.True(File.Exists(target) || Directory.Exists(target), $"{document} links to {link}, which does not exist.");
        }
    }

    /// <summary>The files one has to read to follow an order. The ceilings may fall; more files or lines need a reason.</summary>
    [Fact]
    public void One_order_is_followed_through_few_files()
    {
        var path = Repository.Read("docs/follow-one-order.md").Split("## Beside the path")[0];
        var files = Link().Matches(path).Select(match => match.Groups["target"].Value).Where(link => link.EndsWith(".cs", StringComparison.Ordinal)).ToList();
        Assert.Equal(
            ["PlaceOrder.cs", "Order.cs", "PlacementWriter.cs", "OrderEventsHandler.cs", "OrderCreatedHandler.cs", "Promises.cs", "StockWriter.cs",
                "ReservationDecidedHandler.cs", "OrderEventsHandler.cs", "SendNotifications.cs"],
            files.Select(Path.GetFileName));
        Assert.InRange(files.Sum(file => Repository.Read(Path.Combine("docs", file)).Split('\n').Length), 1, 1_100);
    }

    [Fact]
    public void Each_fault_that_was_reported_names_its_tests()
    {
        var text = Repository.Read("docs/testing.md");
        var rows = text[text.IndexOf("| no. | fault | tests |", StringComparison.Ordinal)..].Split('\n').Skip(2).TakeWhile(line => line.StartsWith('|')).ToLookup(line => line.Split('|')[1].Trim());
        foreach (var number in Enumerable.Range(1, 27).Select(n => $"{n}").Append("24a"))
        {
            var tests = rows[number].SelectMany(row => Link().Matches(row)).Select(match => match.Groups["target"].Value).Where(target => target.EndsWith("Tests.cs", StringComparison.Ordinal)).ToList();
            Assert.True(tests.Count > 0, $"docs/testing.md names no test for fault {number}.");
            Assert.All(tests, test => Assert.Matches(@"\[\w*(Fact|Theory)\]", Repository.Read(Path.Combine("docs", test))));
        }
    }

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)\)")]
    private static partial Regex Link();
}
