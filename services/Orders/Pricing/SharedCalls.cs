using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace OrderInventory.Orders.Pricing;

/// <summary>Asks for the same things once for all who want them at the same time; nobody who leaves ends the call for the others.</summary>
/// <param name="ask">Asks for all of these; what there is not, the answer leaves out.</param>
internal sealed class SharedCalls<T>(Func<IReadOnlyList<Guid>, Task<IReadOnlyDictionary<Guid, T>>> ask)
{
    private readonly ConcurrentDictionary<Guid, Task<IReadOnlyDictionary<Guid, T>>> _calls = new();

    /// <summary>Those that there are. Throws what the call threw.</summary>
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

    [SuppressMessage("Design", "CA1031", Justification = "It is handed to those who wait for it.")]
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
            // Whoever comes from here on asks anew, or finds the copy.
            ids.ForEach(id => _calls.TryRemove(id, out _));
        }
    }
}
