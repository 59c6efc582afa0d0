using System.Collections.Concurrent;
using System.Globalization;
using OrderInventory.Contracts.Orders;
using OrderInventory.Orders.Data;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Orders.Answers;

/// <summary>
/// <c>Prefer: wait=N</c> (RFC 7240, section 4.3): the answer may wait for Inventory's outcome. A handler in this process wakes the
/// waiter, but the outcome may have been consumed by another replica, so the waiter also polls the row.
/// </summary>
internal sealed class OrderWaiters(OrderReader reader, TimeProvider time)
{
    private const int MaxSeconds = 30;
    private static readonly TimeSpan s_pollInterval = TimeSpan.FromMilliseconds(250);

    private readonly ConcurrentDictionary<Guid, TaskCompletionSource> _waiting = new();

    /// <summary>Wakes the order's waiters. Called when this process has changed the order.</summary>
    public void Changed(Guid orderId)
    {
        if (_waiting.TryGetValue(orderId, out var waiting))
        {
            waiting.TrySetResult();
        }
    }

    /// <summary>
    /// Returns the order once it is no longer pending, or in its current state when the wait ends; null immediately when the request
    /// does not ask to wait.
    /// </summary>
    public async Task<OrderView?> WaitAsync(HttpContext http, Guid orderId, CancellationToken cancellationToken)
    {
        if (Preferences.Wait(http.Request.Headers["Prefer"]) is not { } wanted || wanted == 0)
        {
            return null;
        }

        var seconds = Math.Min(wanted, MaxSeconds);

        http.LeaveAdmission();
        http.Response.Headers["Preference-Applied"] = string.Create(CultureInfo.InvariantCulture, $"wait={seconds}");
        var changed = _waiting.GetOrAdd(orderId, _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
        try
        {
            var start = time.GetTimestamp();
            var woken = changed.Task;
            while (true)
            {
                var left = TimeSpan.FromSeconds(seconds) - time.GetElapsedTime(start);
                var pause = Task.Delay(TimeSpan.FromTicks(Math.Clamp(left.Ticks, 0, s_pollInterval.Ticks)), time, cancellationToken);
                if (await Task.WhenAny(woken, pause) == woken)
                {
                    // Wakes only once: a completed task would end every later pause. From here on the waiter only polls.
                    woken = new TaskCompletionSource().Task;
                }

                cancellationToken.ThrowIfCancellationRequested();
                var order = await reader.FindAsync(orderId, cancellationToken);
                if (order is not { Status: OrderStatus.Pending } || time.GetElapsedTime(start).TotalSeconds >= seconds)
                {
                    return order;
                }
            }
        }
        finally
        {
            _waiting.TryRemove(new(orderId, changed));
        }
    }
}
