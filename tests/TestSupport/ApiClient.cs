using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace OrderInventory.TestSupport;

/// <summary>Sends exactly the bytes that a test gives, and keeps the response for its assertions.</summary>
public sealed class ApiClient(HttpClient http)
{
    public Task<ApiResponse> GetAsync(string path, params (string Name, string Value)[] headers) =>
        SendAsync(HttpMethod.Get, path, null, headers);

    public Task<ApiResponse> PostAsync(string path, string json, params (string Name, string Value)[] headers) =>
        SendAsync(HttpMethod.Post, path, json, headers);

    public Task<ApiResponse> PutAsync(string path, string json, params (string Name, string Value)[] headers) =>
        SendAsync(HttpMethod.Put, path, json, headers);

    public Task<ApiResponse> PatchAsync(string path, string json, params (string Name, string Value)[] headers) =>
        SendAsync(HttpMethod.Patch, path, json, headers, "application/merge-patch+json");

    public Task<ApiResponse> DeleteAsync(string path, params (string Name, string Value)[] headers) =>
        SendAsync(HttpMethod.Delete, path, null, headers);

    public async Task<ApiResponse> SendAsync(
        HttpMethod method, string path, string? body, IEnumerable<(string Name, string Value)> headers, string contentType = "application/json")
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        }

        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var response = await http.SendAsync(request);
        return new(
            (int)response.StatusCode, response.Headers, response.Content.Headers.ContentType?.MediaType,
            await response.Content.ReadAsStringAsync());
    }
}

public sealed record ApiResponse(int Status, HttpResponseHeaders Headers, string? ContentType, string Body)
{
    public JsonNode Json => JsonNode.Parse(Body)!;

    public Guid Id => Json["id"]!.GetValue<Guid>();

    public string? ETag => Headers.ETag?.ToString();

    /// <summary>The If-Match header for a change of the version in this response.</summary>
    public (string Name, string Value) IfMatch => ("If-Match", ETag!);

    public ApiResponse ShouldBe(int status)
    {
        Assert.True(status == Status, $"{status} expected, {Status} answered: {Body}");
        return this;
    }

    /// <summary>A problem as specified in api.md: content type, stable type, trace id.</summary>
    public ApiResponse ShouldBeProblem(int status, string code)
    {
        ShouldBe(status);
        Assert.Equal("application/problem+json", ContentType);
        Assert.Equal($"/problems/{code}", Json["type"]!.GetValue<string>());
        Assert.Equal(status, Json["status"]!.GetValue<int>());
        Assert.NotEmpty(Json["title"]!.GetValue<string>());
        Assert.NotEmpty(Json["instance"]!.GetValue<string>());
        Assert.Matches("^[0-9a-f]{32}$", Json["traceId"]!.GetValue<string>());
        return this;
    }

    /// <summary>400 with a message at this JSON path that reveals no implementation names.</summary>
    public ApiResponse ShouldBeMalformed(string path)
    {
        ShouldBeProblem(400, "malformed-request");
        Assert.True(Json["errors"]!.AsObject().ContainsKey(path), $"An error at {path} is expected: {Body}");
        Assert.DoesNotContain("OrderInventory", Body, StringComparison.Ordinal);
        Assert.DoesNotContain("System.", Body, StringComparison.Ordinal);
        return this;
    }
}
