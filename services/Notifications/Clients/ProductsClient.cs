using System.Net.Http.Json;
using System.Text.Json;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Notifications.Clients;

/// <summary>SKUs and names of products, as they are when something is sent.</summary>
internal sealed partial class ProductsClient(HttpClient http, ILogger<ProductsClient> logger)
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    /// <summary>Finds those of the products (at most 100) that exist, by id; null when Products does not answer.</summary>
    public async Task<IReadOnlyDictionary<Guid, Product>?> FindAsync(IReadOnlyCollection<Guid> ids, CancellationToken cancellationToken)
    {
        if (ids.Count == 0)
        {
            return new Dictionary<Guid, Product>();
        }

        try
        {
            var page = await http.GetFromJsonAsync<ProductPage>($"/api/products?ids={string.Join(',', ids)}", s_json, cancellationToken);
            return page!.Items.ToDictionary(p => p.Id);
        }
        catch (Exception exception) when (exception.IsUnavailable(cancellationToken))
        {
            LogUnavailable(exception.GetType().Name);
            return null;
        }
    }

    public sealed record Product(Guid Id, string Sku, string Name);

    private sealed record ProductPage(IReadOnlyList<Product> Items);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Products does not answer ({Reason}); messages about stock wait")]
    private partial void LogUnavailable(string reason);
}
