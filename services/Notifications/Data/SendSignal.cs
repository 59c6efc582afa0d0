using OrderInventory.Notifications.Domain;

namespace OrderInventory.Notifications.Data;

/// <summary>
/// Wakes this replica's senders after a commit, so that a single message is sent immediately. Only a hint: notifications that another replica
/// recorded, or that are due again, are found by polling.
/// </summary>
internal sealed class SendSignal : IDisposable
{
    /// <summary>One per channel: its sender is the only one that waits for it.</summary>
    private readonly SemaphoreSlim[] _signals = [.. Enum.GetValues<NotificationChannel>().Select(_ => new SemaphoreSlim(0, 1))];

    private readonly SemaphoreSlim _alerts = new(0, 1);

    /// <summary>There may be something to report to staff.</summary>
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
                // Another thread released it between the check and the release.
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
