using System.Net.Http.Headers;
using System.Text.Json;
using OrderInventory.Check.Histories;

namespace OrderInventory.Load.Histories;

/// <summary>Sends one request and returns its outcome as a line of the history.</summary>
/// <param name="http">Sends the requests.</param>
/// <param name="address">The base address of a service for a request's number: one replica after the other, as behind a load balancer.</param>
/// <param name="token">A token that that replica accepts.</param>
/// <param name="clock">Milliseconds since the start of the run.</param>
/// <param name="timeout">A request without an answer is given up after it.</param>
internal sealed class Requests(HttpMessageInvoker http, Func<int, string, Uri> address, Func<int, string> token, Func<double> clock, TimeSpan timeout)
{
    private static readonly MediaTypeHeaderValue s_json = new("application/json");
    private int _turn;

    /// <param name="asked">The request, without times and answer.</param>
    /// <param name="stop">Ends the run.</param>
    public async Task<Operation> SendAsync(Operation asked, CancellationToken stop)
    {
        var (service, method, path, body) = Describe(asked);
        var turn = _turn++;
        using var request = new HttpRequestMessage(method, new Uri(address(turn, service), path));
        if (body is not null)
        {
            request.Content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body)) { Headers = { ContentType = s_json } };
        }

        request.Headers.Authorization = new("Bearer", token(turn));
        if (asked.Key is not null)
        {
            request.Headers.TryAddWithoutValidation("Idempotency-Key", asked.Key);
        }

        if (asked.IfMatch is { } version)
        {
            request.Headers.TryAddWithoutValidation("If-Match", $"\"{version}\"");
        }

        using var timer = CancellationTokenSource.CreateLinkedTokenSource(stop);
        timer.CancelAfter(timeout);
        asked = asked with { Start = clock() };
        try
        {
            using var response = await http.SendAsync(request, timer.Token);
            var bytes = await response.Content.ReadAsByteArrayAsync(timer.Token);
            var answered = asked with
            {
                End = clock(),
                Status = (int)response.StatusCode,
                RetryAfter = response.Headers.RetryAfter?.Delta?.TotalSeconds,
                Replayed = response.Headers.Contains("Idempotency-Replayed") ? true : null,
            };
            return Read(answered, bytes);
        }
        catch (Exception problem) when (problem is HttpRequestException or IOException or OperationCanceledException)
        {
            return asked with { End = clock(), Error = problem is OperationCanceledException ? "timeout" : problem is HttpRequestException { HttpRequestError: var error } ? error.ToString() : problem.GetType().Name };
        }
    }

    private static (string Service, HttpMethod Method, string Path, object? Body) Describe(Operation o) => o.Op switch
    {
        Op.Place => ("orders", HttpMethod.Post, "/api/orders", Order(o)),
        Op.Read => ("orders", HttpMethod.Get, $"/api/orders/{o.Order}", null),
        Op.List => ("orders", HttpMethod.Get, $"/api/orders?customerId={o.Customer}&limit=50", null),
        Op.Recent => ("orders", HttpMethod.Get, $"/api/customers/{o.Customer}/orders/recent", null),
        Op.Cancel => ("orders", HttpMethod.Post, $"/api/orders/{o.Order}/cancel", new { reason = "changed their mind" }),
        Op.Revise => ("orders", HttpMethod.Put, $"/api/orders/{o.Order}/lines", new { lines = Lines(o) }),
        Op.Ship => ("orders", HttpMethod.Post, $"/api/orders/{o.Order}/ship", new { carrier = "post" }),
        Op.Deliver => ("orders", HttpMethod.Post, $"/api/orders/{o.Order}/deliver", null),
        Op.Return => ("orders", HttpMethod.Post, $"/api/orders/{o.Order}/returns", new { lines = Lines(o), restock = true }),
        Op.Hold => ("inventory", HttpMethod.Post, "/api/inventory/holds", new { lines = Lines(o), ttlSeconds = 600 }),
        Op.ReleaseHold => ("inventory", HttpMethod.Delete, $"/api/inventory/holds/{o.Hold}", null),
        Op.ReadStock => ("inventory", HttpMethod.Get, $"/api/inventory/{o.Product}", null),
        Op.Adjust => ("inventory", HttpMethod.Post, $"/api/inventory/{o.Product}/adjustments", new { delta = o.Delta, reason = "history", reference = o.Reference }),
        Op.Stocktake => ("inventory", HttpMethod.Post, $"/api/inventory/{o.Product}/stocktakes", new { expectedOnHand = o.Expected, onHand = o.Counted, reason = "history", reference = o.Reference }),
        _ => throw new ArgumentOutOfRangeException(nameof(o)),
    };

    private static object Order(Operation o) => o.Hold is null
        ? new { customerId = o.Customer, lines = Lines(o) }
        : new { customerId = o.Customer, lines = Lines(o), holdId = o.Hold };

    private static IEnumerable<object> Lines(Operation o) => o.Lines!.Select(line => new { productId = line.ProductId, quantity = line.Quantity });

    private static Operation Read(Operation o, byte[] bytes)
    {
        if (bytes.Length == 0)
        {
            return o;
        }

        JsonElement json;
        try
        {
            using var document = JsonDocument.Parse(bytes);
            json = document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return o with { Error = "not JSON" };
        }

        if (json.ValueKind != JsonValueKind.Object)
        {
            return o with { Error = "not an object" };
        }

        if (!o.IsAcknowledged)
        {
            return o with { Error = Text(json, "type")?.Split('/', ':')[^1], OnHand = Number(json, "onHand") };
        }

        return o.Op switch
        {
            Op.List or Op.Recent => o with
            {
                Items = [.. json.GetProperty("items").EnumerateArray().Select(item => new Seen(item.GetProperty("id").GetGuid(), item.GetProperty("version").GetInt64()))],
                IsWhole = Text(json, "next") is null && (o.Op == Op.List || json.GetProperty("items").GetArrayLength() < 20),
            },
            Op.Hold => o with { Hold = json.GetProperty("id").GetGuid(), Version = Number(json, "version") },
            Op.ReadStock or Op.Adjust or Op.Stocktake => o with { Version = Number(json, "version"), OnHand = Number(json, "onHand") },
            _ => o with { Order = json.GetProperty("id").GetGuid(), Version = Number(json, "version"), State = Text(json, "status") },
        };
    }

    private static string? Text(JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static long? Number(JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.TryGetInt64(out var number) ? number : null;
}
