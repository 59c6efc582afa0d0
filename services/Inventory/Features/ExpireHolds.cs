using System.Diagnostics.CodeAnalysis;
using Npgsql;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Domain;
using OrderInventory.Inventory.Http;
using OrderInventory.Messaging;

namespace OrderInventory.Inventory.Features;

/// <summary>
/// Releases the units of holds that have expired by the database's clock. Each replica claims a few holds at a time and works independently; when
/// a replica dies, its claim expires. Nothing waits for this sweeper: a request that would find a product short releases the units of due holds
/// itself.
/// </summary>
internal sealed partial class ExpireHolds(
    NpgsqlDataSource database, StockChange change, InventoryOptions options, TimeProvider time, ILogger<ExpireHolds> logger) : BackgroundService
{
    private const int MaxClaimed = 100;

    [SuppressMessage("Design", "CA1031", Justification = "An unhandled exception in a background service ends the host; the next round tries again.")]
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.HoldSweep, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                while (await SweepAsync(stoppingToken) == MaxClaimed)
                {
                }
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(exception);
            }
        }
    }

    /// <summary>One round; returns how many holds it claimed.</summary>
    internal async Task<int> SweepAsync(CancellationToken cancellationToken)
    {
        var claimed = await ClaimAsync(cancellationToken);
        if (claimed.Length > 0)
        {
            using var trace = TimerTrace.Start("expire holds");
            await change.RunAsync<int>(new StockScope { Holds = claimed }, stock => claimed.Count(id => End(stock, id)), by: null, cancellationToken);
        }

        return claimed.Length;
    }

    private bool End(Stock stock, Guid id)
    {
        if (stock.Hold(id) is not { Status: HoldStatus.Live, IsDue: true } hold)
        {
            // Extended, released or consumed meanwhile: nothing to end.
            return false;
        }

        // Inconsistent stock records stop this hold only, not the others claimed with it. It is retried when its claim expires.
        if (stock.FindUnreleasable(hold.Lines) is { } line)
        {
            LogCannotEnd(hold.Id, line.Quantity, line.ProductId, line.Location, stock.Item(line.ProductId, line.Location)?.Reserved ?? 0);
            return false;
        }

        stock.EndHold(hold, HoldStatus.Expired);
        return true;
    }

    /// <summary>
    /// Claims holds in a separate transaction: the work locks products before holds, as everywhere, so it cannot keep the claimed holds locked.
    /// </summary>
    private async Task<Guid[]> ClaimAsync(CancellationToken cancellationToken)
    {
        await using var claim = database.CreateCommand(
            """
            UPDATE holds SET swept_until = now() + interval '10 seconds'
            WHERE id IN (
                SELECT id FROM holds
                WHERE status = 'live' AND expires_at <= now() AND (swept_until IS NULL OR swept_until <= now())
                ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED)
            RETURNING id
            """);
        claim.Parameters.Add(new() { Value = MaxClaimed });
        var ids = new List<Guid>();
        await using var reader = await claim.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            ids.Add(reader.GetGuid(0));
        }

        return [.. ids];
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Expired holds could not be ended; will be retried")]
    private partial void LogFailed(Exception exception);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "Hold {Hold} cannot be ended: it has {Quantity} units of product {Product} at {Location}, where {Reserved} are reserved. The product's stock must be rebuilt; will be retried")]
    private partial void LogCannotEnd(Guid hold, long quantity, Guid product, string location, long reserved);
}
