using OrderInventory.Contracts.Inventory;
using OrderInventory.Messaging.Inbox;
using OrderInventory.Orders.Answers;
using OrderInventory.Orders.Clients;
using OrderInventory.Orders.Data;
using OrderInventory.Orders.Domain;
using OrderInventory.ServiceDefaults.Data;

namespace OrderInventory.Orders.Features;

/// <summary>Inventory has answered: the order is confirmed, rejected, revised or cancelled.</summary>
internal sealed class ReservationDecidedHandler(OrderWaiters waiters, RecentOrders recent, StockAdvice stock, TimeProvider time) : IBatchHandler
{
    public async Task HandleAsync(IReadOnlyList<ReceivedEvent> events, InboxBatch batch, CancellationToken cancellationToken)
    {
        var ids = events.Select(e => ((ReservationDecided)e.Data).OrderId).Distinct().ToArray();
        var orders = await OrderBatch.LoadAsync(await batch.GetConnectionAsync(cancellationToken), ids, time, cancellationToken);
        foreach (var received in events)
        {
            var decided = (ReservationDecided)received.Data;
            if (orders.Find(decided.OrderId) is not { } order)
            {
                continue;
            }

            orders.Remember(decided, received);
            orders.Change(order, o => o.Apply(decided.Outcome, decided.OrderVersion, decided.Lines, orders.Now), Actor.Inventory, received);
        }

        orders.Save(batch.Writes);
        foreach (var message in orders.Events)
        {
            batch.Publish(message);
        }

        batch.AfterCommit(() =>
        {
            stock.Forget(events.SelectMany(e => ((ReservationDecided)e.Data).Lines));
            foreach (var order in orders.Changed)
            {
                recent.Changed(order.CustomerId);
                waiters.Changed(order.Id);
            }
        });
    }
}
