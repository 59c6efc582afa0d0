using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace OrderInventory.Load.Setup;

/// <summary>The part of a service's HTTP API that the setup needs.</summary>
internal sealed class Api(Uri address, string token) : IDisposable
{
    private readonly HttpClient _http = new()
    {
        BaseAddress = address,
        Timeout = TimeSpan.FromSeconds(30),
        DefaultRequestHeaders = { Authorization = new("Bearer", token) },
    };

    /// <summary>All items of a list, page by page.</summary>
    public async Task<List<T>> ListAsync<T>(string path, JsonTypeInfo<Page<T>> json, CancellationToken cancellationToken)
    {
        var items = new List<T>();
        string? cursor = null;
        do
        {
            using var response = await SendAsync(HttpMethod.Get, cursor is null ? path : $"{path}&cursor={Uri.EscapeDataString(cursor)}", null, cancellationToken);
            await ExpectAsync(response, cancellationToken, HttpStatusCode.OK);
            var page = (await response.Content.ReadFromJsonAsync(json, cancellationToken))!;
            items.AddRange(page.Items);
            cursor = page.Next;
        }
        while (cursor is not null);

        return items;
    }

    /// <summary>Creates or sets a resource; the answer is read when <paramref name="answer"/> is given.</summary>
    public async Task<T?> WriteAsync<T>(
        HttpMethod method, string path, HttpContent body, JsonTypeInfo<T>? answer, CancellationToken cancellationToken, params HttpStatusCode[] alsoGood)
    {
        using var response = await SendAsync(method, path, body, cancellationToken);
        await ExpectAsync(response, cancellationToken, [HttpStatusCode.Created, HttpStatusCode.OK, .. alsoGood]);
        return answer is null ? default : await response.Content.ReadFromJsonAsync(answer, cancellationToken);
    }

    public async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, HttpContent? body, CancellationToken cancellationToken, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body };
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        try
        {
            return await _http.SendAsync(request, cancellationToken);
        }
        catch (Exception problem) when (problem is HttpRequestException || (problem is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new LoadException($"{method} {_http.BaseAddress}{path.TrimStart('/')} was not answered: {problem.Message}");
        }
    }

    public static async Task ExpectAsync(HttpResponseMessage response, CancellationToken cancellationToken, params HttpStatusCode[] good)
    {
        if (!good.Contains(response.StatusCode))
        {
            var text = await response.Content.ReadAsStringAsync(cancellationToken);
            throw new LoadException($"{response.RequestMessage!.Method} {response.RequestMessage.RequestUri} answered {(int)response.StatusCode}: {text}");
        }
    }

    public void Dispose() => _http.Dispose();
}

internal sealed record Page<T>(IReadOnlyList<T> Items, string? Next);

internal sealed record Product(Guid Id, string Sku);

internal sealed record NewProduct(string Sku, string Name, string Category, Price Price);

internal sealed record Price(decimal Amount, string Currency);

internal sealed record Customer(Guid Id, string Email);

internal sealed record NewCustomer(string Name, string Email);

internal sealed record Level(Guid ProductId, long Available);

internal sealed record NewLevel(long OnHand);

internal sealed record Adjustment(long Delta, string Reason);

internal sealed record Order(Guid Id, string Status);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(Page<Product>))]
[JsonSerializable(typeof(NewProduct))]
[JsonSerializable(typeof(Page<Customer>))]
[JsonSerializable(typeof(NewCustomer))]
[JsonSerializable(typeof(Page<Level>))]
[JsonSerializable(typeof(NewLevel))]
[JsonSerializable(typeof(Adjustment))]
[JsonSerializable(typeof(Order))]
internal sealed partial class ApiJson : JsonSerializerContext;
