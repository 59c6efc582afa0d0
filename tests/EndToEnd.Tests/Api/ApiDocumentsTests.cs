using System.Net.Http.Json;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace OrderInventory.EndToEnd.Tests.Api;

/// <summary>
/// docs/openapi holds each service's OpenAPI document as it was reviewed, so that the change that alters an API shows it.
/// UPDATE_SNAPSHOTS=1 ./test.sh EndToEnd writes the documents; eng/lint-apis.sh lints them.
/// </summary>
[Collection(SystemCollection.Name)]
public sealed class ApiDocumentsTests(SystemFixture system)
{
    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static TheoryData<string> Services => ["orders", "inventory", "products", "customers", "notifications"];

    [Theory]
    [MemberData(nameof(Services))]
    public async Task The_document_matches_the_snapshot(string service)
    {
        var file = Path.Combine(Repository.Root, "docs", "openapi", $"{service}.json");
        var document = (await system.Gateway.GetFromJsonAsync<JsonObject>($"/openapi/{service}.json"))!;
        Assert.StartsWith("3.1", (string?)document["openapi"], StringComparison.Ordinal);
        // Not compared: the server's address, and what the gateway adds for its reference page.
        document.Remove("servers");
        document["components"]!["securitySchemes"]!.AsObject().Remove("signIn");
        var text = document.ToJsonString(s_indented);
        if (Environment.GetEnvironmentVariable("UPDATE_SNAPSHOTS") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            await File.WriteAllTextAsync(file, text + "\n");
        }

        Assert.True(text == (await File.ReadAllTextAsync(file)).TrimEnd(),
            $"The OpenAPI document of {service} differs from {file}. If the change is intended, rewrite it with UPDATE_SNAPSHOTS=1 ./test.sh EndToEnd.");
    }
}
