using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace OrderInventory.TestSupport;

/// <summary>A request about something that belongs to a customer.</summary>
/// <param name="Url">With ids of existing resources.</param>
/// <param name="Body">Null for a body that changes nothing.</param>
public sealed record OwnedRequest(string Url, string? Body = null);

/// <summary>
/// Who may do what, found out by requests: every operation of a service's OpenAPI document, and every hidden one, in every role.
/// docs/security.md shows the outcome, and the test fails if it differs; UPDATE_SNAPSHOTS=1 writes it.
/// </summary>
/// <param name="service">The service's name, as in the document's section.</param>
/// <param name="http">A client of the service.</param>
public sealed class AuthorizationMatrix(string service, HttpClient http)
{
    private static readonly string[] s_methods = ["get", "put", "post", "patch", "delete"];
    private static readonly string[] s_roles = ["support", "inventory-manager", "catalog-manager", "admin", "service"];

    /// <param name="customer">The customer who sends the requests in the role of a customer.</param>
    /// <param name="other">Another customer.</param>
    /// <param name="owned">Makes the request about what belongs to a customer; null if path, query and body contain nothing of the kind.</param>
    /// <param name="hidden">Methods and paths that are not in the OpenAPI document.</param>
    public async Task CheckAsync(Guid customer, Guid other, Func<string, string, Guid, Task<OwnedRequest?>> owned, params string[] hidden)
    {
        var document = (await http.GetFromJsonAsync<JsonObject>("/openapi/v1.json"))!;
        var operations = document["paths"]!.AsObject()
            .SelectMany(path => s_methods.Where(method => path.Value![method] is not null).Select(method => (Method: method.ToUpperInvariant(), Path: path.Key, Description: path.Value![method])))
            .Concat(hidden.Select(line => (Method: line.Split(' ')[0], Path: line.Split(' ')[1], Description: (JsonNode?)null)))
            .OrderBy(operation => operation.Path, StringComparer.Ordinal).ThenBy(operation => operation.Method, StringComparer.Ordinal).ToList();
        var text = new StringBuilder();
        text.Append("| operation | no token | customer: own | customer: another's | support | inventory-manager | catalog-manager | admin | service |\n|---|---|---|---|---|---|---|---|---|\n");
        foreach (var (method, path, description) in operations)
        {
            var nothing = new OwnedRequest(Fill(path));
            var (own, foreign) = (await owned(method, path, customer), await owned(method, path, other));
            var cells = new List<string> { Cell(await SendAsync(method, nothing, description, null), nothing: true) };
            var mayCustomer = await SendAsync(method, nothing, description, TestAuthority.Shared.CustomerToken(customer)) != 403;
            foreach (var (request, isOwn) in new[] { (own, true), (foreign, false) })
            {
                var status = await SendAsync(method, request ?? nothing, description, TestAuthority.Shared.CustomerToken(customer));
                Assert.True(!mayCustomer || request is null || (isOwn ? status is not (401 or 403 or 404) : status is 404 or 422),
                    $"{method} {path}: {status} is answered to a customer for {(isOwn ? "their own" : "another's")}.");
                cells.Add(Cell(status, nothing: request is null));
            }

            foreach (var role in s_roles)
            {
                cells.Add(Cell(await SendAsync(method, nothing, description, TestAuthority.Shared.Token($"a {role}", [role])), nothing: true));
            }

            Assert.Equal("401", cells[0]);
            if (description is not null)
            {
                // The OpenAPI document must state the roles that are in fact allowed.
                var said = description["x-roles"]!.AsArray().Select(role => (string)role!).ToHashSet();
                Assert.Equal((path, said.Contains("customer")), (path, mayCustomer));
                Assert.All(s_roles.Zip(cells.Skip(3)), pair => Assert.Equal((path, pair.First, said.Contains(pair.First)), (path, pair.First, pair.Second == "yes")));
            }

            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"| {method} {path} | {string.Join(" | ", cells)} |\n");
        }

        await CompareAsync(text.ToString());
    }

    private async Task CompareAsync(string table)
    {
        var file = Path.Combine(Root(), "docs", "security.md");
        var (begin, end) = ($"<!-- {service}: written by a test -->\n", $"<!-- end of {service} -->");
        var document = await File.ReadAllTextAsync(file);
        var from = document.IndexOf(begin, StringComparison.Ordinal) + begin.Length;
        var to = document.IndexOf(end, StringComparison.Ordinal);
        Assert.True(from >= begin.Length && to >= from, $"{file} has no section for {service}.");
        if (Environment.GetEnvironmentVariable("UPDATE_SNAPSHOTS") == "1")
        {
            await File.WriteAllTextAsync(file, document[..from] + table + document[to..]);
            return;
        }

        Assert.True(document[from..to] == table, $"The matrix of {service} differs from {file}. If the change is intended, rewrite it with UPDATE_SNAPSHOTS=1. It is now:\n{table}");
    }

    private async Task<int> SendAsync(string method, OwnedRequest owned, JsonNode? description, string? token)
    {
        using var request = new HttpRequestMessage(new(method), owned.Url);
        request.Headers.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        request.Headers.TryAddWithoutValidation("Idempotency-Key", Guid.CreateVersion7().ToString());
        if (description?["requestBody"]?["content"]?.AsObject().FirstOrDefault().Key is { } type)
        {
            request.Content = new StringContent(owned.Body ?? (type.EndsWith("json", StringComparison.Ordinal) ? """{"nobodyKnows": 1}""" : "x"), Encoding.UTF8);
            request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        }

        // The stream never ends; only its status matters here.
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        var status = (int)response.StatusCode;
        Assert.True(status < 500, status < 500 ? "" : $"{method} {owned.Url}: {status} {await response.Content.ReadAsStringAsync()}");
        return status;
    }

    /// <summary>For a request about something that does not exist, 404 also means that the caller is allowed.</summary>
    private static string Cell(int status, bool nothing) => status switch
    {
        401 or 403 => $"{status}",
        404 or 422 when !nothing => $"{status}",
        _ => "yes",
    };

    private static string Fill(string path) => string.Join('/', path.Split('/').Select(part => part switch
    {
        "{template}" => "orderShipped",
        "{channel}" => "email",
        "{language}" => "en",
        "{code}" => "nowhere",
        ['{', ..] => Guid.CreateVersion7().ToString(),
        _ => part,
    }));

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "OrderInventory.sln")))
        {
            folder = folder.Parent;
        }

        return folder.FullName;
    }
}
