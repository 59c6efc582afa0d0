using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Components.Authorization;
using OrderInventory.Console.Access;

namespace OrderInventory.Console.Api;

/// <summary>Why a request was refused: a problem document (RFC 9457), or that the API did not answer.</summary>
public sealed record Problem(int Status, string? Type, string? Title, string? Detail, string? TraceId = null)
{
    public Dictionary<string, string[]>? Errors { get; init; }

    [JsonExtensionData]
    public Dictionary<string, JsonElement>? More { get; init; }

    /// <summary>The session has ended.</summary>
    [JsonIgnore]
    public bool IsSignedOut => Status == (int)HttpStatusCode.Unauthorized;

    /// <summary>A transient failure: something does not answer now but will later.</summary>
    [JsonIgnore]
    public bool IsPassing => Status >= 500;

    /// <summary>A page that could not be loaded is loaded again; an action is repeated by nobody.</summary>
    [JsonIgnore]
    public bool IsReloaded { get; init; }

    /// <summary>Somebody else has changed it meanwhile.</summary>
    [JsonIgnore]
    public bool IsStale => Status == (int)HttpStatusCode.PreconditionFailed;
}

/// <summary>An answer, or the problem instead of it.</summary>
public sealed record Answer<T>(T? Value, string? ETag, Problem? Problem);

/// <summary>Calls the API through the gateway as the person who is signed in.</summary>
internal sealed class ShopApi(IHttpClientFactory clients, AuthenticationStateProvider authentication, Sessions sessions)
{
    public const string Client = "gateway";

    /// <summary>Rows of one page of a list.</summary>
    public const int PageSize = 50;

    /// <summary>The services with their own API, dead letters and outbox.</summary>
    public static readonly string[] Services = ["orders", "inventory", "products", "customers", "notifications"];

    private static readonly Problem s_noAnswer = new(503, null, "The shop does not answer.", null);
    private static readonly Problem s_unreadable = new(400, null, "The file was changed or removed after it was selected. Select it again.", null);
    private static readonly MediaTypeHeaderValue s_mergePatch = new("application/merge-patch+json");
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(15);

    public Task<Answer<T>> GetAsync<T>(string path, CancellationToken cancellationToken = default) => SendAsync<T>(HttpMethod.Get, path, null, null, cancellationToken);

    /// <summary>One page of a list.</summary>
    /// <param name="path">The list's path.</param>
    /// <param name="cursor">Where it begins; null at the beginning.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <param name="query">Its filters; empty ones are left out.</param>
    public Task<Answer<ItemPage<T>>> PageAsync<T>(string path, string? cursor, CancellationToken cancellationToken, params (string, string?)[] query) =>
        GetAsync<ItemPage<T>>(Address.Of(path, [.. query, ("limit", $"{PageSize}"), ("cursor", cursor)]), cancellationToken);

    /// <summary>The first rows of a list, from as many pages as are needed for the wanted number.</summary>
    /// <param name="path">The list's path.</param>
    /// <param name="wanted">How many rows, a multiple of <see cref="PageSize"/>.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <param name="query">Its filters; empty ones are left out.</param>
    public async Task<Answer<ItemPage<T>>> ListAsync<T>(string path, int wanted, CancellationToken cancellationToken, params (string, string?)[] query)
    {
        var items = new List<T>();
        string? next = null;
        while (true)
        {
            var answer = await PageAsync<T>(path, next, cancellationToken, query);
            if (answer.Value is not { } page)
            {
                return answer;
            }

            items.AddRange(page.Items);
            next = page.Next;
            if (next is null || items.Count >= wanted)
            {
                return answer with { Value = page with { Items = items } };
            }
        }
    }

    /// <summary>The product with this SKU, ignoring case; null when there is none. A search returns an exact match of the SKU first.</summary>
    public async Task<Answer<CatalogueProduct>> FindProductAsync(string sku)
    {
        if (string.IsNullOrWhiteSpace(sku))
        {
            return new(null, null, null);
        }

        var answer = await PageAsync<CatalogueProduct>("/api/products", null, CancellationToken.None, ("q", sku));
        return new(answer.Value?.Items.FirstOrDefault(product => product.Sku.Equals(sku.ToSearch(), StringComparison.OrdinalIgnoreCase)), null, answer.Problem);
    }

    /// <summary>Sends a file and passes the API's response on, line by line.</summary>
    /// <param name="path">The import's path, with its query.</param>
    /// <param name="file">CSV.</param>
    /// <param name="take">Receives each line of the response.</param>
    /// <returns>Why the file was refused as a whole or could not be read, or null.</returns>
    public async Task<Problem?> ImportAsync(string path, CountedContent file, Func<JsonElement, Task> take)
    {
        using var request = await RequestAsync(HttpMethod.Post, path);
        request.Content = file;
        file.Headers.ContentType = new("text/csv");
        try
        {
            using var client = clients.CreateClient(Client);
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            if (!response.IsSuccessStatusCode)
            {
                return await ReadProblemAsync(response, CancellationToken.None);
            }

            using var lines = new StreamReader(await response.Content.ReadAsStreamAsync());
            while (await lines.ReadLineAsync() is { } line)
            {
                using var document = JsonDocument.Parse(line);
                await take(document.RootElement);
            }

            return null;
        }
        catch (Exception exception) when (file.IsUnreadable || exception is HttpRequestException or IOException or JsonException)
        {
            return file.IsUnreadable ? s_unreadable : s_noAnswer;
        }
    }

    /// <param name="method">GET, POST, PUT, PATCH (a merge patch) or DELETE.</param>
    /// <param name="path">Below the gateway, with its query.</param>
    /// <param name="body">What is sent as JSON, or null.</param>
    /// <param name="etag">The version that the change is meant for, or null.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    public Task<Answer<T>> SendAsync<T>(HttpMethod method, string path, object? body = null, string? etag = null, CancellationToken cancellationToken = default) =>
        SendAsync<T>(method, path, body, etag, Guid.CreateVersion7().ToString(), cancellationToken);

    /// <param name="method">GET, POST, PUT, PATCH (a merge patch) or DELETE.</param>
    /// <param name="path">Below the gateway, with its query.</param>
    /// <param name="body">What is sent as JSON, or null.</param>
    /// <param name="etag">The version that the change is meant for, or null.</param>
    /// <param name="key">The Idempotency-Key of a POST.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    public async Task<Answer<T>> SendAsync<T>(HttpMethod method, string path, object? body, string? etag, string key, CancellationToken cancellationToken)
    {
        using var request = await RequestAsync(method, path);
        if (body is not null)
        {
            request.Content = JsonContent.Create(body, method == HttpMethod.Patch ? s_mergePatch : null, JsonSerializerOptions.Web);
        }

        if (method == HttpMethod.Post)
        {
            // The effect of a click happens once, even if its response was lost.
            request.Headers.Add("Idempotency-Key", key);
        }

        if (etag is not null)
        {
            request.Headers.TryAddWithoutValidation("If-Match", etag);
        }

        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(s_timeout);
        try
        {
            using var client = clients.CreateClient(Client);
            using var response = await client.SendAsync(request, timeout.Token);
            if (!response.IsSuccessStatusCode)
            {
                return new(default, null, await ReadProblemAsync(response, timeout.Token));
            }

            var value = response.Content.Headers.ContentLength == 0 || response.StatusCode == HttpStatusCode.NoContent
                ? default
                : await response.Content.ReadFromJsonAsync<T>(JsonSerializerOptions.Web, timeout.Token);
            return new(value, response.Headers.ETag?.ToString(), null);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or JsonException
            || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return new(default, null, s_noAnswer);
        }
    }

    /// <summary>Opens a stream of changes; the caller disposes of it.</summary>
    public async Task<HttpResponseMessage> OpenStreamAsync(string? lastEventId, CancellationToken cancellationToken)
    {
        using var request = await RequestAsync(HttpMethod.Get, "/api/stream");
        if (lastEventId is not null)
        {
            request.Headers.TryAddWithoutValidation("Last-Event-ID", lastEventId);
        }

        var response = await clients.CreateClient(Client).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        return response.EnsureSuccessStatusCode();
    }

    private async Task<HttpRequestMessage> RequestAsync(HttpMethod method, string path)
    {
        var user = (await authentication.GetAuthenticationStateAsync()).User;
        var request = new HttpRequestMessage(method, path);
        if (await sessions.TokenOfAsync(user) is { } token)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        return request;
    }

    private static async Task<Problem> ReadProblemAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            var problem = await response.Content.ReadFromJsonAsync<Problem>(JsonSerializerOptions.Web, cancellationToken);
            return problem! with { Status = (int)response.StatusCode };
        }
        catch (JsonException)
        {
            return new((int)response.StatusCode, null, response.ReasonPhrase, null);
        }
    }
}
