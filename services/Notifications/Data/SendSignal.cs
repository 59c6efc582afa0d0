namespace OrderInventory.Notifications.Data;

/// <summary>
/// Wakes this replica's sender after a commit, so that a single mail leaves at once. Only a hint: what another replica recorded, or what
/// is due again, is found by polling.
/// </summary>
internal sealed class SendSignal : IDisposable
{
    private readonly SemaphoreSlim _signal = new(0, 1);

    /// <summary>There may be something to send. Cheap, never blocks, any number of calls count as one.</summary>
    public void Wake()
    {
        if (_signal.CurrentCount == 0)
        {
            try
            {
                _signal.Release();
            }
            catch (SemaphoreFullException)
            {
                // Somebody else woke it between the look and the release.
            }
        }
    }

    public Task WaitAsync(TimeSpan timeout, CancellationToken cancellationToken) => _signal.WaitAsync(timeout, cancellationToken);

    public void Dispose() => _signal.Dispose();
}
