using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace OrderInventory.Orders.Pricing;

/// <summary>Shares one call among callers who need the same ids at the same time; a caller who cancels does not end it for the others.</summary>
/// <param name="ask">Fetches all of these; the answer leaves out what does not exist.</param>
internal sealed class SharedCalls<T>(Func<IReadOnlyList<Guid>, Task<IReadOnlyDictionary<Guid, T>>> ask)
{
    private readonly ConcurrentDictionary<Guid, Task<IReadOnlyDictionary<Guid, T>>> _calls = new();

    /// <summary>Returns the values that exist. Throws what the call threw.</summary>
    public async Task<IReadOnlyDictionary<Guid, T>> GetAsync(IReadOnlyList<Guid> ids, CancellationToken cancellationToken)
    {
        var own = new TaskCompletionSource<IReadOnlyDictionary<Guid, T>>(TaskCreationOptions.RunContinuationsAsynchronously);
        var calls = ids.Select(id => (Id: id, Call: _calls.GetOrAdd(id, own.Task))).ToList();
        if (calls.FindAll(call => call.Call == own.Task) is { Count: > 0 } mine)
        {
            _ = AskAsync(mine.ConvertAll(call => call.Id), own);
        }

        var found = new Dictionary<Guid, T>(ids.Count);
        foreach (var (id, call) in calls)
        {
            if ((await call.WaitAsync(cancellationToken)).TryGetValue(id, out var value))
            {
                found[id] = value;
            }
        }

        return found;
    }

    [SuppressMessage("Design", "CA1031", Justification = "It is passed to the callers that wait for it.")]
    private async Task AskAsync(List<Guid> ids, TaskCompletionSource<IReadOnlyDictionary<Guid, T>> call)
    {
        try
        {
            call.SetResult(await ask(ids));
        }
        catch (Exception exception)
        {
            call.SetException(exception);
        }
        finally
        {
            // Later callers start a new call, or find the copy.
            ids.ForEach(id => _calls.TryRemove(id, out _));
        }
    }
}
