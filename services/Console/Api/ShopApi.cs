using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Components.Authorization;
using OrderInventory.Console.Access;

namespace OrderInventory.Console.Api;

/// <summary>Why a request was refused: a problem document (RFC 9457), or that nobody answered.</summary>
public sealed record Problem(int Status, string? Type, string? Title, string? Detail, string? TraceId = null)
{
    public Dictionary<string, string[]>? Errors { get; init; }

    [JsonExtensionData]
    public Dictionary<string, JsonElement>? More { get; init; }

    /// <summary>Somebody else has changed it meanwhile.</summary>
    public bool IsStale => Status == (int)HttpStatusCode.PreconditionFailed;
}

/// <summary>An answer, or the problem instead of it.</summary>
public sealed record Answer<T>(T? Value, string? ETag, Problem? Problem);

/// <summary>The API, through the gateway, as the person who is signed in.</summary>
internal sealed class ShopApi(IHttpClientFactory clients, AuthenticationStateProvider authentication, Sessions sessions)
{
    public const string Client = "gateway";

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(15);

    public Task<Answer<T>> GetAsync<T>(string path, CancellationToken cancellationToken = default) => SendAsync<T>(HttpMethod.Get, path, null, null, cancellationToken);

    /// <param name="method">GET, POST, PUT or DELETE.</param>
    /// <param name="path">Below the gateway, with its query.</param>
    /// <param name="body">What is sent as JSON, or null.</param>
    /// <param name="etag">The version that the change is meant for, or null.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<Answer<T>> SendAsync<T>(HttpMethod method, string path, object? body = null, string? etag = null, CancellationToken cancellationToken = default)
    {
        using var request = await RequestAsync(method, path);
        if (body is not null)
        {
            request.Content = JsonContent.Create(body, options: JsonSerializerOptions.Web);
        }

        if (method == HttpMethod.Post)
        {
            // A click is done once, also when the answer to it was lost on its way.
            request.Headers.Add("Idempotency-Key", Guid.CreateVersion7().ToString());
        }

        if (etag is not null)
        {
            request.Headers.TryAddWithoutValidation("If-Match", etag);
        }

        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(s_patience);
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
            return new(default, null, new(503, null, "The shop does not answer.", null));
        }
    }

    /// <summary>An open stream of changes; the caller disposes it.</summary>
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
        if (sessions.TokenOf(user) is { } token)
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
