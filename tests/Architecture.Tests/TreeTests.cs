using System.Diagnostics;
using System.Text.RegularExpressions;

namespace OrderInventory.Architecture.Tests;

public class TreeTests
{
    private static readonly string[] s_services = ["Orders", "Inventory", "Products", "Customers", "Notifications", "Gateway"];

    [Fact]
    public void Contracts_reference_nothing() =>
        Assert.DoesNotMatch("<(Package|Project)Reference", Repository.Read("OrderInventory.Contracts/OrderInventory.Contracts.csproj"));

    [Fact]
    public void Messaging_knows_no_domain() =>
        Assert.All(Repository.Files("OrderInventory.Messaging", "*.cs*"), file => Assert.DoesNotContain("OrderInventory.Contracts", Repository.Read(file), StringComparison.Ordinal));

    [Fact]
    public void A_service_references_no_other_service() =>
        Assert.All(s_services, service => Assert.DoesNotMatch(
            "services/|Include=\"\\.\\./(?!\\.\\./)", Repository.Read($"services/{service}/OrderInventory.{service}.csproj")));

    [Fact]
    public void A_domain_is_pure()
    {
        var domain = Repository.Files("services", "*.cs").Where(file => file.Contains("/Domain/", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(domain);
        Assert.All(domain, file => Assert.DoesNotMatch("using (Microsoft\\.(EntityFrameworkCore|AspNetCore)|Npgsql|Confluent|StackExchange|MailKit|System\\.Net)", Repository.Read(file)));
    }

    [Fact]
    public void Data_does_not_know_the_use_cases()
    {
        var data = Repository.Files("services", "*.cs").Where(file => file.Contains("/Data/", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(data);
        Assert.All(data, file => Assert.DoesNotMatch(@"\bOrderInventory\.\w+\.Features\b", Repository.Read(file)));
    }

    [Fact]
    public void Program_shows_the_service_on_one_screen() =>
        Assert.All(s_services, service => Assert.InRange(Repository.Lines($"services/{service}/Program.cs").Length, 1, 70));

    [Fact]
    public void A_file_has_at_most_400_lines() =>
        Assert.All(
            Repository.Files(".", "*.cs").Where(file => !file.Contains("/Migrations/", StringComparison.Ordinal)),
            file => Assert.True(Repository.Lines(file).Length <= 400, $"{file} has {Repository.Lines(file).Length} lines"));

    [Fact]
    public void An_event_handler_is_a_feature_and_named_after_its_event()
    {
        var handlers = Repository.Files("services", "*Handler.cs").Where(file => Repository.Read(file).Contains(": IBatchHandler", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(handlers);
        Assert.All(handlers, file => Assert.Contains("/Features/", file, StringComparison.Ordinal));
    }

    /// <summary>
    /// The previous version runs during and after a migration: what it reads and writes stays, and is not locked for long. See
    /// docs/operations.md, "Upgrading".
    /// </summary>
    [Fact]
    public void A_migration_keeps_the_previous_version_working()
    {
        var migrations = Repository.Files("services", "*.cs")
            .Where(file => Regex.IsMatch(file, @"/Migrations/\d{14}_(?!Initial)\w+\.cs$"))
            .Select(file => (file, Up: Regex.Match(Repository.Read(file), @"void Up\(.*?(?=void Down\()", RegexOptions.Singleline).Value))
            .ToList();
        Assert.NotEmpty(migrations);
        Assert.All(migrations, migration =>
        {
            Assert.NotEmpty(migration.Up);
            Assert.DoesNotMatch(@"\.(DropColumn|DropTable|Rename\w+|AlterColumn|AddForeignKey|AddUniqueConstraint|AddCheckConstraint)\b", migration.Up);
            Assert.DoesNotMatch(@"\b(DROP (TABLE|COLUMN)|RENAME|ALTER COLUMN|ADD CONSTRAINT|CREATE (UNIQUE )?INDEX)\b", migration.Up);
            Assert.DoesNotMatch(@"\.AddColumn<[^;]*nullable: false(?![^;]*defaultValue)", migration.Up);
            // An index on an existing table is made by CreateIndexConcurrently.
            var made = Regex.Matches(migration.Up, @"\.CreateTable\(\s*name: ""(\w+)""").Select(table => table.Groups[1].Value).ToHashSet();
            Assert.Subset(made, Regex.Matches(migration.Up, @"\.CreateIndex\([^;]*?table: ""(\w+)""").Select(index => index.Groups[1].Value).ToHashSet());
        });
    }

    /// <summary>A patch that no longer applies proves nothing, and is otherwise noticed only when somebody runs all of them.</summary>
    [Fact]
    public void Every_mutant_patch_applies()
    {
        var patches = Repository.Files("bench/mutants", "*.patch").ToList();
        Assert.NotEmpty(patches);
        Assert.All(patches, patch =>
        {
            using var git = Process.Start(new ProcessStartInfo("git", ["apply", "--check", patch]) { WorkingDirectory = Repository.Root, RedirectStandardError = true })!;
            var problem = git.StandardError.ReadToEnd();
            git.WaitForExit();
            Assert.True(git.ExitCode == 0, problem);
        });
    }

    [Fact]
    public void The_stand_in_for_two_Kafka_packages_stays_small() =>
        Assert.InRange(Repository.Files("eng/aspire-kafka", "*.cs").Sum(file => Repository.Lines(file).Length), 1, 200);

    [Fact]
    public void No_source_waits_by_sleeping_or_asks_the_wall_clock()
    {
        // The build's banned symbols, checked again here to cover C# scripts that the build does not compile.
        var banned = new Regex(@"Thread\.Sleep\(|DateTime(Offset)?\.(Utc)?Now\b|Guid\.NewGuid\(");
        Assert.All(
            Repository.Files(".", "*.cs").Where(file => !file.StartsWith("tests/Architecture.Tests/", StringComparison.Ordinal)),
            file => Assert.DoesNotMatch(banned, Repository.Read(file)));
    }

    [Fact]
    public void Nothing_records_where_packages_come_from()
    {
        Assert.Empty(Repository.Files(".", "packages.lock.json"));
        Assert.Empty(Repository.Files(".", "package-lock.json"));
        Assert.DoesNotContain(Repository.Files(".", "*.config"), file => Path.GetFileName(file).Equals("nuget.config", StringComparison.OrdinalIgnoreCase));
    }
}
