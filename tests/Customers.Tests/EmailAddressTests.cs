using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql;
using OrderInventory.Customers.Data;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Text;
using OrderInventory.TestSupport;

namespace OrderInventory.Customers.Tests;

/// <summary>An accepted address is the one that is mailed, and one mailbox belongs to one customer.</summary>
public sealed class EmailAddressTests(CustomersApp app) : IClassFixture<CustomersApp>
{
    private const string Path = "/api/customers";

    private static readonly string s_unique = Guid.CreateVersion7().ToString("N")[20..];

    [Theory]
    [InlineData("maria@example.com", "maria@example.com")]
    [InlineData("Maria.Anders+shop@EXAMPLE.com", "maria.anders+shop@example.com")]
    [InlineData("o'brien/x=y@mail.example.co.uk", "o'brien/x=y@mail.example.co.uk")]
    [InlineData("a@bücher.de", "a@bücher.de")]
    [InlineData("a@BÜCHER.de", "a@bücher.de")]
    [InlineData("a@bu\u0308cher.de", "a@bücher.de")]
    [InlineData("a@xn--bcher-kva.de", "a@bücher.de")]
    [InlineData("a@XN--BCHER-KVA.de", "a@bücher.de")]
    [InlineData("a@straße.de", "a@straße.de")]
    [InlineData("用户@例子.中国", "用户@例子.中国")]
    [InlineData("Ju\u0308rgen@example.com", "jürgen@example.com")]
    public void Has_one_key(string text, string key)
    {
        Assert.True(EmailAddress.TryParse(text, out var address));
        Assert.Equal(key, address.Key);
    }

    [Theory]
    [InlineData("a(b)@example.com")]
    [InlineData("(c)a@example.com")]
    [InlineData("a@example.com(c)")]
    [InlineData("a@(c)example.com")]
    [InlineData("\"a b\"@example.com")]
    [InlineData("\"a\"@example.com")]
    [InlineData("a\\b@example.com")]
    [InlineData("a:b@c.de")]
    [InlineData("a;b@c.de")]
    [InlineData("a..b@c.de")]
    [InlineData(".a@c.de")]
    [InlineData("a.@c.de")]
    [InlineData("a@.de")]
    [InlineData("a@c..de")]
    [InlineData("a@example.com.")]
    [InlineData("a@-c.de")]
    [InlineData("a@c-.de")]
    [InlineData("a@c_d.de")]
    [InlineData("a@[127.0.0.1]")]
    [InlineData("a@127.0.0.1")]
    [InlineData("a@b@c.de")]
    [InlineData("Bob <a@c.de>")]
    [InlineData("<a@c.de>")]
    [InlineData("a@c.de,b@c.de")]
    [InlineData(" a@c.de")]
    [InlineData("a @c.de")]
    [InlineData("a\u200B@c.de")]
    [InlineData("a@c\u200B.de")]
    [InlineData("a@c\u00AD.de")]
    [InlineData("\u202Ea@c.de")]
    [InlineData("a\r\nBcc: x@c.de")]
    [InlineData("a\u0007@c.de")]
    [InlineData("a@ｅxample.com")]
    [InlineData("a@example。com")]
    [InlineData("a@xn--zzzzzzzzz.de")]
    [InlineData("a@xn--a.de")]
    [InlineData("\u0301a@c.de")]
    [InlineData("a.\u0301b@c.de")]
    [InlineData("a@\u0301c.de")]
    [InlineData("a@c.\u0301de")]
    [InlineData("@c.de")]
    [InlineData("a@")]
    [InlineData("a")]
    [InlineData("\u0301@c.de\u2028")]
    public async Task Refuses_what_a_mailer_would_read_differently(string text)
    {
        Assert.False(EmailAddress.IsValid(text));
        (await app.Api.PostAsync(Path, CustomersApp.NewCustomer(text).ToJsonString())).ShouldBeMalformed("$.email");
    }

    [Theory]
    [InlineData(64, true)]
    [InlineData(65, false)]
    public void Accepts_64_bytes_before_the_at(int length, bool valid)
    {
        Assert.Equal(valid, EmailAddress.IsValid(new string('a', length) + "@example.com"));
        Assert.Equal(valid, EmailAddress.IsValid(new string('a', length % 2) + new string('é', length / 2) + "@example.com"));
    }

    [Fact]
    public async Task One_mailbox_belongs_to_one_customer_in_any_spelling()
    {
        var made = await app.CreateAsync(c => c["email"] = $"{s_unique}.André@bücher{s_unique}.de");
        var ascii = new System.Globalization.IdnMapping().GetAscii($"bücher{s_unique}.de");
        string[] forms = [$"{s_unique}.andre\u0301@BU\u0308CHER{s_unique}.DE", $"{s_unique}.ANDRÉ@{ascii}", $"{s_unique}.André@{ascii.ToUpperInvariant()}"];
        foreach (var form in forms)
        {
            (await app.Api.PostAsync(Path, CustomersApp.NewCustomer(form).ToJsonString())).ShouldBe(409);
            Assert.Equal(made.Id, (await app.Api.GetAsync($"{Path}?email={Uri.EscapeDataString(form)}")).Json["items"]![0]!["id"]!.GetValue<Guid>());
        }

        foreach (var q in new[] { ascii, $"bu\u0308cher{s_unique}", $"{s_unique}.andre\u0301" })
        {
            Assert.Equal(made.Id, (await app.Api.GetAsync($"{Path}?q={Uri.EscapeDataString(q)}")).Json["items"]![0]!["id"]!.GetValue<Guid>());
        }
    }

    [Fact]
    public async Task Names_are_found_composed_and_decomposed_and_need_visible_characters()
    {
        var name = $"Andre\u0301 {s_unique}";
        var made = await app.CreateAsync(c => c["name"] = name);
        Assert.Equal($"André {s_unique}", (string?)made.Json["name"]);
        Assert.Single((await app.Api.GetAsync($"{Path}?q={Uri.EscapeDataString(name)}")).Json["items"]!.AsArray());
        var patch = new JsonObject { ["name"] = "\u200B\u2060" };
        (await app.Api.PatchAsync($"{Path}/{made.Id}", patch.ToJsonString(), made.IfMatch)).ShouldBeMalformed("$.name");
    }

    /// <summary>Rows of the previous version: the oldest customer of a mailbox gets its key; no customer is lost.</summary>
    [Fact]
    public async Task Existing_rows_get_canonical_keys()
    {
        var connectionString = await app.CreateDatabaseAsync();
        await using var db = new CustomersDb(new DbContextOptionsBuilder<CustomersDb>().UseNpgsql(connectionString).UseSnakeCaseNamingConvention().Options);
        var migrator = db.GetService<IMigrator>();
        await migrator.MigrateAsync("Initial");
        await using var database = NpgsqlDataSource.Create(connectionString);
        string[] before = ["a@xn--bcher-kva.de", "a@bücher.de", "b@xn--fsqu00a.xn--0zwm56d", "c@example.com.", "andre\u0301@example.com", "d@example.com", "e@xn--99999999.de", "a(b)@example.com"];
        foreach (var email in before)
        {
            await using var insert = database.CreateCommand(
                """
                INSERT INTO customers (id, name, email, email_key, search_key, addresses, language, channel_email, channel_sms, channel_webhook, status, version, created_at, updated_at)
                VALUES ($1, 'Maria', $2, $3, 'maria' || chr(10) || $3, '[]', 'en', true, false, false, 'active', 1, now(), now())
                """);
            // In the order of the list; ids made within one millisecond would otherwise have no order.
            insert.Parameters.Add(new() { Value = OrderedIds.Next() });
            insert.Parameters.Add(new() { Value = email });
            insert.Parameters.Add(new() { Value = email.ToLowerInvariant() });
            await insert.ExecuteNonQueryAsync();
        }

        await migrator.MigrateAsync();

        var after = new List<string>();
        await using var command = database.CreateCommand("SELECT email || ' ' || email_key FROM customers ORDER BY id");
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            after.Add(reader.GetString(0));
        }

        Assert.Equal(
            [
                "a@xn--bcher-kva.de a@xn--bcher-kva.de", "a@bücher.de a@bücher.de", "b@xn--fsqu00a.xn--0zwm56d b@例子.测试", "c@example.com c@example.com",
                "andré@example.com andré@example.com", "d@example.com d@example.com", "e@xn--99999999.de e@xn--99999999.de", "a(b)@example.com a(b)@example.com",
            ],
            after);
    }
}
