using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Contracts.Customers;
using OrderInventory.Contracts.Orders;
using OrderInventory.Contracts.Products;
using OrderInventory.Orders.Data;
using OrderInventory.Orders.Domain;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Orders.Pricing;

/// <summary>An order's lines with the catalogue's names and prices, and the copies they were made from.</summary>
internal sealed record PricedOrder(IReadOnlyList<OrderLine> Lines, CopiesUsed Copies);

/// <summary>Prices requested lines, or says why they cannot be ordered. Names and prices come from the catalogue, never from the caller.</summary>
internal sealed class OrderPricing(Catalogue catalogue, EventBudget budget)
{
    /// <summary>Prices a new order.</summary>
    /// <param name="customerId">Who orders.</param>
    /// <param name="wanted">At least one line.</param>
    /// <param name="fresh">Whether to bypass memory, because it was out of date.</param>
    /// <param name="http">The request.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<(PricedOrder? Order, ProblemHttpResult? Problem)> PriceAsync(
        Guid customerId, IReadOnlyList<WantedLine> wanted, bool fresh, HttpContext http, CancellationToken cancellationToken)
    {
        var asking = catalogue.FindCustomerAsync(customerId, fresh, cancellationToken);
        var found = await catalogue.FindProductsAsync([.. wanted.Select(l => l.ProductId).Distinct()], fresh, cancellationToken);
        var customer = await asking;
        if (customer.Status is null || found is not { } products)
        {
            return (null, Problems.Unavailable(http, customer.Status is null ? "Customers" : "Products"));
        }

        if (customer.Status != CustomerStatus.Active)
        {
            return (null, UnknownCustomer(customerId));
        }

        var (lines, problem) = Price(wanted, products, [], null);
        problem ??= budget.Refuse(lines!);
        return problem is null ? (new(lines!, new([.. products.Values], customer.IsCopy ? customerId : null)), null)
            // Nothing is refused because of memory, which may be out of date: price again without it.
            : fresh ? (null, problem) : await PriceAsync(customerId, wanted, fresh: true, http, cancellationToken);
    }

    /// <summary>422; also for a customer whom the caller may not see.</summary>
    public static ProblemHttpResult UnknownCustomer(Guid customerId) => Problems.Unprocessable(
        "unknown-customer", "The customer does not exist.", new Dictionary<string, string[]> { ["$.customerId"] = [$"No customer has the id {customerId}."] });

    /// <summary>Prices a revision: a product already in the order keeps its price, and may stay when it can no longer be ordered.</summary>
    public async Task<(IReadOnlyList<OrderLine>? Lines, ProblemHttpResult? Problem)> RepriceAsync(
        IReadOnlyList<OrderLine> held, IReadOnlyList<WantedLine> wanted, HttpContext http, CancellationToken cancellationToken)
    {
        if (await catalogue.FindProductsAsync([.. wanted.Select(l => l.ProductId).Distinct()], fresh: true, cancellationToken) is not { } products)
        {
            return (null, Problems.Unavailable(http, "Products"));
        }

        var (lines, problem) = Price(wanted, products, held, held[0].UnitPrice.Currency);
        return (lines, problem ?? budget.Refuse(lines!, held));
    }

    /// <param name="wanted">The requested lines.</param>
    /// <param name="products">The requested products that exist.</param>
    /// <param name="held">The order's lines so far; empty for a new order.</param>
    /// <param name="currency">The order's currency; null for a new order, which takes that of its first line.</param>
    private static (IReadOnlyList<OrderLine>? Lines, ProblemHttpResult? Problem) Price(
        IReadOnlyList<WantedLine> wanted, IReadOnlyDictionary<Guid, ProductCopy> products, IReadOnlyList<OrderLine> held, string? currency)
    {
        var errors = new RequestErrors();
        var lines = new List<OrderLine>(wanted.Count);
        for (var i = 0; i < wanted.Count; i++)
        {
            var (id, quantity) = wanted[i];
            var product = products.GetValueOrDefault(id);
            var kept = held.FirstOrDefault(l => l.ProductId == id);
            if (product?.Status == ProductStatus.Active || (kept is not null && Sum(wanted, id) <= held.Where(l => l.ProductId == id).Sum(l => (long)l.Quantity)))
            {
                lines.Add(kept is not null ? kept with { Quantity = quantity } : new(id, product!.Sku, product.Name, quantity, new(product.Price, product.Currency)));
            }
            else
            {
                errors.Add($"$.lines[{i}].productId", product?.Status != ProductStatus.Discontinued ? $"No product has the id {id}."
                    : kept is null ? $"Product {product.Sku} is discontinued."
                    : $"Product {product.Sku} is discontinued: its quantity cannot be raised.");
            }
        }

        if (errors.Any)
        {
            return (null, errors.Unprocessable("unknown-product", "A product cannot be ordered."));
        }

        currency ??= lines[0].UnitPrice.Currency;
        for (var i = 0; i < lines.Count; i++)
        {
            if (lines[i].UnitPrice.Currency != currency)
            {
                errors.Add($"$.lines[{i}].productId", $"Its price is in {lines[i].UnitPrice.Currency}, but the order's currency is {currency}.");
            }
        }

        return errors.Any ? (null, errors.Unprocessable("mixed-currency", "All lines of an order must have the same currency.")) : (lines, null);
    }

    private static long Sum(IReadOnlyList<WantedLine> wanted, Guid product) => wanted.Where(l => l.ProductId == product).Sum(l => (long)l.Quantity);
}
