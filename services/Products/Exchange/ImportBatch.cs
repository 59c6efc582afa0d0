using Microsoft.EntityFrameworkCore;
using Npgsql;
using OrderInventory.Contracts.Products;
using OrderInventory.Products.Data;
using OrderInventory.Products.Domain;
using OrderInventory.Products.Http;
using OrderInventory.ServiceDefaults.BulkFiles;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Products.Exchange;

internal enum ImportOutcome
{
    Created,
    Updated,
    Unchanged,
}

/// <summary>Writes some rows of a file in one transaction, with an event for each row that changed something.</summary>
internal sealed class ImportBatch(ProductsDb db, ProductCache cache, TimeProvider time) : IRowWriter<ProductRow, ImportOutcome>
{
    private const int Attempts = 5;

    /// <summary>Products that earlier batches of a dry run would have created, by SKU: later rows may change them, or be their variants.</summary>
    private readonly Dictionary<string, Product> _dryRunCreated = [];

    /// <summary>Whether nothing is stored.</summary>
    public bool DryRun { get; set; }

    /// <summary>Large enough that the commit does not dominate the time, small enough that other writers do not wait for its locks.</summary>
    public int BatchSize => 250;

    public int ProgressEvery => 1000;

    public async Task<IReadOnlyList<RowResult<ImportOutcome>>> WriteAsync(IReadOnlyList<ProductRow> rows, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await TryWriteAsync(rows, cancellationToken);
            }
            catch (Exception exception) when (attempt < Attempts && IsTransient(exception))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(attempt * Random.Shared.Next(50, 150)), time, cancellationToken);
            }
            catch (DbUpdateException exception) when (!IsTransient(exception))
            {
                // The database rejects a row that passed the rules. It must not stop the others.
                db.ChangeTracker.Clear();
                return rows.Count == 1 ? [new("$", "The row could not be stored.")] : await WriteOneByOneAsync(rows, cancellationToken);
            }
            finally
            {
                db.ChangeTracker.Clear();
            }
        }
    }

    private async Task<IReadOnlyList<RowResult<ImportOutcome>>> WriteOneByOneAsync(IReadOnlyList<ProductRow> rows, CancellationToken cancellationToken)
    {
        var results = new List<RowResult<ImportOutcome>>(rows.Count);
        foreach (var row in rows)
        {
            results.AddRange(await WriteAsync([row], cancellationToken));
        }

        return results;
    }

    private async Task<IReadOnlyList<RowResult<ImportOutcome>>> TryWriteAsync(IReadOnlyList<ProductRow> rows, CancellationToken cancellationToken)
    {
        var skus = rows.SelectMany(row => new[] { row.Sku, row.VariantOfSku }).OfType<string>().Distinct().ToArray();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        // In the order of ids, like all code that locks several products.
        await db.Database.ExecuteSqlAsync($"SELECT FROM products WHERE sku = ANY({skus}) ORDER BY id FOR UPDATE", cancellationToken);
        var products = await db.Products.IgnoreQueryFilters().Where(p => skus.Contains(p.Sku)).ToDictionaryAsync(p => p.Sku, cancellationToken);
        foreach (var sku in skus.Where(sku => !products.ContainsKey(sku) && _dryRunCreated.ContainsKey(sku)))
        {
            products.Add(sku, _dryRunCreated[sku]);
        }

        var variants = await CountVariantsAsync(rows, products, cancellationToken);
        var now = time.GetStorableNow();
        var results = new List<RowResult<ImportOutcome>>(rows.Count);
        var changed = new List<Guid>();
        foreach (var row in rows)
        {
            var (result, product) = Apply(row, products, variants, now);
            results.Add(result);
            if (DryRun && result is { Errors: null, Outcome: ImportOutcome.Created })
            {
                _dryRunCreated[row.Sku] = product!;
            }

            if (product is not null && !DryRun)
            {
                changed.Add(product.Id);
                db.Add(ProductEvents.Updated(product));
            }
        }

        if (DryRun)
        {
            return results;
        }

        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        changed.ForEach(cache.Invalidate);
        return results;
    }

    /// <summary>Decides on one row; the product is null when the row changes nothing.</summary>
    private (RowResult<ImportOutcome> Result, Product? Changed) Apply(
        ProductRow row, Dictionary<string, Product> products, Dictionary<Guid, int> variants, DateTimeOffset now)
    {
        var product = products.GetValueOrDefault(row.Sku);
        if (product?.Status == ProductStatus.Deleted)
        {
            return (new("$.sku", "A deleted product had this SKU, which is never reused."), null);
        }

        var errors = new RequestErrors();
        var parent = row.VariantOfSku is null ? null : products.GetValueOrDefault(row.VariantOfSku);
        if (row.VariantOfSku is not null)
        {
            // In the file, a variant comes after its product; the export writes them in this order.
            errors.Require(
                parent is not null && parent.Status != ProductStatus.Deleted, "$.variantOfSku", "No product has this SKU, and no earlier row creates it.");
            errors.Require(
                parent?.VariantOf is null && row.VariantOfSku != row.Sku, "$.variantOfSku",
                "A variant cannot have variants, and a product cannot be a variant of itself.");
            errors.Require(
                product is null || variants.GetValueOrDefault(product.Id) == 0, "$.variantOfSku", "A product that has variants cannot be a variant itself.");
        }

        var (details, status) = row.ApplyTo(product, parent?.Id, errors);
        if (errors.Any)
        {
            return (new(errors.All), null);
        }

        var before = product?.VariantOf;
        if (product is not null && !product.Change(details, status, now))
        {
            return (new(ImportOutcome.Unchanged), null);
        }

        var outcome = product is null ? ImportOutcome.Created : ImportOutcome.Updated;
        if (product is null)
        {
            product = Product.Create(details, now, status);
            db.Add(product);
            products.Add(product.Sku, product);
        }

        Count(variants, before, -1);
        Count(variants, product.VariantOf, 1);
        return (new(outcome), product);
    }

    private async Task<Dictionary<Guid, int>> CountVariantsAsync(
        IReadOnlyList<ProductRow> rows, Dictionary<string, Product> products, CancellationToken cancellationToken)
    {
        if (!rows.Any(row => row.VariantOfSku is not null))
        {
            return [];
        }

        var ids = products.Values.Select(p => (Guid?)p.Id).ToArray();
        return await db.Products.Where(p => ids.Contains(p.VariantOf)).GroupBy(p => p.VariantOf!.Value)
            .Select(group => new { group.Key, Count = group.Count() }).ToDictionaryAsync(group => group.Key, group => group.Count, cancellationToken);
    }

    private static void Count(Dictionary<Guid, int> variants, Guid? parent, int change)
    {
        if (parent is { } id)
        {
            variants[id] = variants.GetValueOrDefault(id) + change;
        }
    }

    /// <summary>Lost connections, deadlocks, and a SKU that another request created meanwhile, which the next attempt finds.</summary>
    private static bool IsTransient(Exception exception) =>
        exception.IsTransientDatabaseFailure() || (exception is DbUpdateException update && update.IsUniqueViolation(ProductsDb.SkuIndex));
}
