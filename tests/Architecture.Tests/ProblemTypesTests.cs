using System.Text.RegularExpressions;

namespace OrderInventory.Architecture.Tests;

/// <summary>Clients branch on problem types: each type in the sources must be documented, and each documented type must be in the sources.</summary>
public partial class ProblemTypesTests
{
    [Fact]
    public void Each_type_that_can_be_answered_is_described_and_the_other_way_round()
    {
        string[] projects = ["services", "OrderInventory.ServiceDefaults", "OrderInventory.Messaging"];
        var answered = projects.SelectMany(folder => Repository.Files(folder, "*.cs"))
            .SelectMany(file => Code().Matches(Repository.Read(file)).Concat(file.EndsWith("/ExceptionProblems.cs", StringComparison.Ordinal) ? ByStatus().Matches(Repository.Read(file)) : []))
            .Select(match => match.Groups["code"].Value)
            // Never returned to a client: it makes a dry run roll back its transaction.
            .Where(code => code != "dry-run")
            .ToHashSet();
        var described = Heading().Matches(Repository.Read("docs/problems.md")).Select(match => match.Groups["code"].Value).ToHashSet();

        Assert.Equal(answered.Order(), described.Order());
    }

    [GeneratedRegex("""(?:Conflict|Unprocessable|\bOf|TypeOf)\(\s*"(?<code>[a-z]+(?:-[a-z]+)*)"|"/problems/(?<code>[a-z-]+)"|Problem\w*\(\s*"(?<code>[a-z]+(?:-[a-z]+)+)["]""")]
    private static partial Regex Code();

    [GeneratedRegex("""=> "(?<code>[a-z]+(?:-[a-z]+)+)["]""")]
    private static partial Regex ByStatus();

    [GeneratedRegex("""^## (?<code>\S+)$""", RegexOptions.Multiline)]
    private static partial Regex Heading();
}
