using Microsoft.EntityFrameworkCore;

namespace OrderInventory.Orders.Data;

/// <summary>Reads one order for a response.</summary>
internal sealed class OrderReader(IDbContextFactory<OrdersDb> databases)
{
    public async Task<OrderView?> FindAsync(Guid id, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        var row = await database.Orders.AsNoTracking().Include(o => o.Items).FirstOrDefaultAsync(o => o.Id == id, cancellationToken);
        return row is null ? null : OrderView.Of(row);
    }
}
