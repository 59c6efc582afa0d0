using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Npgsql;
using OrderInventory.Contracts.Inventory;
using OrderInventory.Contracts.Orders;
using OrderInventory.Messaging;
using OrderInventory.Messaging.Outbox;
using OrderInventory.Orders.Answers;
using OrderInventory.Orders.Clients;
using OrderInventory.Orders.Data;
using OrderInventory.Orders.Domain;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Orders.Features;

/// <summary>
/// Handles orders that wait too long for Inventory. It first queries Inventory and applies its last outcome through the same guard as an
/// event. Only if Inventory never saw the order's version is the same event sent again, with the same id. A pending order that still has no
/// answer after the timeout expires, which is Orders' own decision; a cancel and a revision never expire. Replicas may sweep at the same
/// time: the version guards every change, and consumers recognise an event by its id.
/// </summary>
internal sealed partial class SweepWaitingOrders(
    NpgsqlDataSource database, IServiceScopeFactory scopes, OrderWriter writer, OrderWaiters waiters, RecentOrders recent, OutboxSignal signal,
    IOptions<OrdersOptions> options, TimeProvider time, ILogger<SweepWaitingOrders> logger) : BackgroundService
{
    private const int PageSize = 100;

    /// <summary>What this replica has sent again, how often, and when it may be sent the next time.</summary>
    private readonly Dictionary<(Guid Id, long Version), (int Times, DateTimeOffset Next)> _resent = [];

    [SuppressMessage("Design", "CA1031", Justification = "An exception here would end the whole service; the next sweep tries again.")]
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.SweepInterval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await SweepAsync(stoppingToken);
            }
            catch (Exception exception) when (exception is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
            {
                LogFailed(exception);
            }
        }
    }

    /// <summary>One pass over all waiting orders.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "A failure of one order must not delay the others.")]
    internal async Task SweepAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var inventory = scope.ServiceProvider.GetRequiredService<InventoryClient>();
        var inventoryAnswers = true;
        var seen = new HashSet<(Guid, long)>();
        Waiting? last = null;
        List<Waiting> page;
        do
        {
            page = await ReadAsync(last, cancellationToken);
            foreach (var order in page)
            {
                using var trace = TimerTrace.Start("sweep order");
                seen.Add((order.Id, order.Version));
                try
                {
                    // Once Inventory does not answer, it is not queried for the other orders until the next sweep.
                    var state = inventoryAnswers ? await QueryInventoryAsync(inventory, order, cancellationToken) : Answer.None;
                    inventoryAnswers = state != Answer.None;
                    if (state != Answer.Applied && order is { Overdue: true, Status: OrderStatus.Pending })
                    {
                        await ExpireAsync(order, cancellationToken);
                    }
                    else if (state == Answer.NeverSaw && MayBeSentAgain(order))
                    {
                        await SendAgainAsync(order, cancellationToken);
                    }
                }
                catch (Exception exception) when (exception is not OperationCanceledException && !exception.IsTransientDatabaseFailure())
                {
                    LogOrderFailed(exception, order.Id);
                }
            }

            last = page.LastOrDefault();
        }
        while (page.Count == PageSize);

        foreach (var over in _resent.Keys.Where(key => !seen.Contains(key)).ToList())
        {
            _resent.Remove(over);
        }
    }

    /// <summary>The interval doubles each time: while Inventory consumes nothing, copies of the same events must not pile up.</summary>
    private bool MayBeSentAgain(Waiting order)
    {
        var now = time.GetUtcNow();
        var (times, next) = _resent.GetValueOrDefault((order.Id, order.Version));
        if (now < next)
        {
            return false;
        }

        _resent[(order.Id, order.Version)] = (times + 1, now + (options.Value.AskAfter * Math.Pow(2, Math.Min(times, 10))));
        return true;
    }

    private async Task<List<Waiting>> ReadAsync(Waiting? after, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            """
            SELECT o.* FROM unnest(ARRAY['pending', 'revisionPending', 'cancelPending']) AS waiting (status)
            CROSS JOIN LATERAL (
                SELECT id, status, version, waiting_since < now() - $2 FROM orders
                WHERE status = waiting.status AND id > $3
                    AND (waiting_since < now() - $1 OR (status = 'pending' AND waiting_since < now() - $2))
                ORDER BY id LIMIT $4) AS o
            ORDER BY o.id LIMIT $4
            """);
        command.Parameters.Add(new() { Value = options.Value.AskAfter });
        command.Parameters.Add(new() { Value = options.Value.PendingTimeout });
        command.Parameters.Add(new() { Value = after?.Id ?? Guid.Empty });
        command.Parameters.Add(new() { Value = PageSize });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var waiting = new List<Waiting>();
        while (await reader.ReadAsync(cancellationToken))
        {
            waiting.Add(new(
                reader.GetGuid(0), StatusNames.Parse(reader.GetString(1)), reader.GetInt64(2), reader.GetBoolean(3)));
        }

        return waiting;
    }

    /// <summary>Queries Inventory for its last outcome and applies it if it answers the waiting version.</summary>
    private async Task<Answer> QueryInventoryAsync(InventoryClient inventory, Waiting order, CancellationToken cancellationToken)
    {
        InventoryClient.ReservationResponse? known;
        try
        {
            known = await inventory.FindReservationAsync(order.Id, cancellationToken);
        }
        catch (JsonException exception)
        {
            // A newer version of Inventory may send outcomes that this code does not know.
            LogUnreadable(exception, order.Id);
            return Answer.Unreadable;
        }
        catch (Exception exception) when (exception.IsUnavailable(cancellationToken))
        {
            LogNoAnswer(exception.Message);
            return Answer.None;
        }

        if (known is null || known.OrderVersion < order.Version)
        {
            return Answer.NeverSaw;
        }

        await writer.ChangeAsync(
            order.Id, (current, now) => current?.Apply(known.Outcome, known.OrderVersion, known.Shortages, now), Actor.Sweep, cancellationToken,
            new(order.Id, known.OrderVersion, known.Outcome, known.Shortages, known.DecidedAt));
        waiters.Changed(order.Id);
        LogApplied(order.Id, order.Version, known.Outcome);
        return Answer.Applied;
    }

    private async Task ExpireAsync(Waiting order, CancellationToken cancellationToken)
    {
        // An outcome that arrived since the query wins: the order is then no longer pending.
        var change = await writer.ChangeAsync(
            order.Id, (current, now) => current?.Version == order.Version ? current.Expire(now) : Change.None, Actor.Sweep, cancellationToken);
        waiters.Changed(order.Id);
        if (change == Change.Made)
        {
            LogExpired(order.Id);
        }
    }

    /// <summary>Publishes the event of the order's version again, unless it is still in the outbox.</summary>
    private async Task SendAgainAsync(Waiting waiting, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var orders = await OrderBatch.LoadAsync(connection, [waiting.Id], time, cancellationToken);
        if (orders.Find(waiting.Id) is not { } order || order.Version != waiting.Version
            || await FindEventAsync(connection, order, cancellationToken) is not { } sent)
        {
            return;
        }

        await using var writes = new NpgsqlBatch(connection, transaction);
        var topic = order.Version == 1 ? OrderEvents.Created.Topic : OrderEvents.Updated.Topic;
        if (await RefusedEvents.TakeAsync(connection, topic, order.Id, sent.Id, cancellationToken) is { } size)
        {
            if (!ResolveUndeliverable(orders, order, sent, size, writes))
            {
                // The dead letter stays and the order waits until somebody fixes the broker and replays the dead letter.
                LogCannotLeave(order.Id, order.Version);
                return;
            }

            await writes.ExecuteNonQueryAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            signal.Wake();
            recent.Changed(order.CustomerId);
            waiters.Changed(order.Id);
            LogUndeliverable(order.Id, waiting.Version, order.Status);
            return;
        }

        writes.AddOutbox(order.Version == 1
            ? OutboxMessage.Create(OrderEvents.Created, order.Id, 1, OrderEvents.CreatedOf(order), order.PlacedAt, id: sent.Id)
            : OutboxMessage.Create(OrderEvents.Updated, order.Id, order.Version, OrderEvents.UpdatedOf(order, sent.PreviousStatus ?? order.Status), order.UpdatedAt, id: sent.Id));
        await writes.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        signal.Wake();
        LogSentAgain(order.Id, order.Version);
    }

    /// <summary>
    /// The broker permanently refuses the event. A new order or a revision is then rejected; a cancel, which must not be rejected, is sent as
    /// a smaller event. False when the refused event was already as small.
    /// </summary>
    private static bool ResolveUndeliverable(OrderBatch orders, Order order, (Guid Id, OrderStatus? PreviousStatus) sent, int size, NpgsqlBatch writes)
    {
        if (order.Status == OrderStatus.CancelPending)
        {
            var smaller = OutboxMessage.Create(
                OrderEvents.Updated, order.Id, order.Version, OrderEvents.Smaller(OrderEvents.UpdatedOf(order, sent.PreviousStatus ?? order.Status)), order.UpdatedAt, id: sent.Id);
            writes.AddOutbox(smaller);
            return smaller.Payload.Length < size;
        }

        if (orders.Change(order, o => o.GiveUp(orders.Now), Actor.Sweep) != Change.Made)
        {
            return false;
        }

        orders.Save(writes);
        writes.AddOutbox(orders.Events);
        return true;
    }

    private static async Task<(Guid Id, OrderStatus? PreviousStatus)?> FindEventAsync(NpgsqlConnection connection, Order order, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            SELECT h.event_id, h.data ->> 'previousStatus'
            FROM order_history h
            WHERE h.order_id = $1 AND h.version = $2
                AND NOT EXISTS (SELECT FROM outbox_messages o WHERE o.key = $1::text AND o.version = $2)
            """,
            connection)
        {
            Parameters = { new() { Value = order.Id }, new() { Value = order.Version } },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? (reader.GetGuid(0), reader.GetStringOrNull(1) is { } previous ? StatusNames.Parse(previous) : null)
            : null;
    }

    private sealed record Waiting(Guid Id, OrderStatus Status, long Version, bool Overdue);

    private enum Answer
    {
        /// <summary>Inventory did not answer.</summary>
        None,

        /// <summary>Inventory's answer cannot be read by this version.</summary>
        Unreadable,

        /// <summary>Inventory has never handled the waiting version.</summary>
        NeverSaw,

        /// <summary>Inventory's outcome was applied.</summary>
        Applied,
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Waiting orders could not be checked; will be retried")]
    private partial void LogFailed(Exception exception);

    [LoggerMessage(Level = LogLevel.Error, Message = "Waiting order {OrderId} could not be processed; will be retried")]
    private partial void LogOrderFailed(Exception exception, Guid orderId);

    [LoggerMessage(Level = LogLevel.Error, Message = "Inventory's answer about waiting order {OrderId} cannot be read; it will be requested again")]
    private partial void LogUnreadable(Exception exception, Guid orderId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Inventory did not answer the query about a waiting order: {Reason}")]
    private partial void LogNoAnswer(string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Order {OrderId} waited at version {Version}; Inventory had decided: {Outcome}")]
    private partial void LogApplied(Guid orderId, long version, ReservationOutcome outcome);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Order {OrderId} has expired: Inventory did not answer in time")]
    private partial void LogExpired(Guid orderId);

    [LoggerMessage(Level = LogLevel.Error, Message = "The broker refuses the event of order {OrderId}, version {Version}, even without its optional parts; the order waits until its dead letter is replayed")]
    private partial void LogCannotLeave(Guid orderId, long version);

    [LoggerMessage(Level = LogLevel.Error, Message = "The broker permanently refused the event of order {OrderId}, version {Version}; the order is now {Status}")]
    private partial void LogUndeliverable(Guid orderId, long version, OrderStatus status);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Inventory has not seen version {Version} of order {OrderId}; its event is sent again")]
    private partial void LogSentAgain(Guid orderId, long version);
}
