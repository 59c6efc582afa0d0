using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Products.Exchange;
using OrderInventory.ServiceDefaults.BulkFiles;

namespace OrderInventory.Products.Features;

internal static class ImportProducts
{
    /// <summary>Import products from CSV or newline-delimited JSON</summary>
    /// <remarks>
    /// Up to 100 MiB. A row creates or changes the product with its SKU; what the row leaves out is unchanged, and a row that changes nothing
    /// creates no version, so the same file can be sent again. Columns and members: <c>sku</c>, <c>name</c>, <c>description</c>, <c>category</c>,
    /// <c>price</c> (in CSV with <c>currency</c>), <c>status</c>, <c>variantOfSku</c>, <c>attributes</c> (in CSV a JSON object). The answer
    /// has a line for each bad row, one every 1,000 rows with <c>processed</c>, <c>created</c>, <c>updated</c>, <c>unchanged</c> and
    /// <c>failed</c>, and a last one with <c>done</c>. Publishes <c>product.updated</c>. With <c>dryRun=true</c> nothing is changed, and the
    /// answer says what would change.
    /// </remarks>
    public static Task<Results<EmptyHttpResult, ProblemHttpResult>> HandleAsync(
        bool? dryRun, HttpContext http, ImportBatch batch, CancellationToken cancellationToken)
    {
        batch.DryRun = dryRun ?? false;
        return BulkImport.RunAsync(http, batch, cancellationToken);
    }
}
