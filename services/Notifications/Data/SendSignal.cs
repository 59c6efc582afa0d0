using OrderInventory.Notifications.Domain;

namespace OrderInventory.Notifications.Data;

/// <summary>
/// Wakes this replica's senders after a commit, so that a single message leaves at once. Only a hint: what another replica recorded, or
/// what is due again, is found by polling.
/// </summary>
internal sealed class SendSignal : IDisposable
{
    /// <summary>One per channel: its sender is the only one that waits for it.</summary>
    private readonly SemaphoreSlim[] _signals = [.. Enum.GetValues<NotificationChannel>().Select(_ => new SemaphoreSlim(0, 1))];

    private readonly SemaphoreSlim _alerts = new(0, 1);

    /// <summary>Staff may have something to be told.</summary>
    public void WakeAlerts() => Wake(_alerts);

    public Task WaitForAlertsAsync(TimeSpan timeout, CancellationToken cancellationToken) => _alerts.WaitAsync(timeout, cancellationToken);

    /// <summary>There may be something to send. Cheap, never blocks, any number of calls count as one.</summary>
    public void Wake(NotificationChannel channel) => Wake(_signals[(int)channel]);

    private static void Wake(SemaphoreSlim signal)
    {
        if (signal.CurrentCount == 0)
        {
            try
            {
                signal.Release();
            }
            catch (SemaphoreFullException)
            {
                // Somebody else woke it between the look and the release.
            }
        }
    }

    /// <summary>There may be something to send on any channel.</summary>
    public void WakeAll()
    {
        foreach (var channel in Enum.GetValues<NotificationChannel>())
        {
            Wake(channel);
        }
    }

    public Task WaitAsync(NotificationChannel channel, TimeSpan timeout, CancellationToken cancellationToken) =>
        _signals[(int)channel].WaitAsync(timeout, cancellationToken);

    public void Dispose()
    {
        _alerts.Dispose();
        Array.ForEach(_signals, signal => signal.Dispose());
    }
}
