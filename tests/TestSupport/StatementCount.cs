using System.Diagnostics.Metrics;

namespace OrderInventory.TestSupport;

/// <summary>Counts this process's database round trips, by Npgsql's metric of their duration; a batch of statements is one.</summary>
public sealed class StatementCount : IDisposable
{
    private readonly MeterListener _listener = new();
    private int _count;
    private volatile bool _isRunning = true;

    /// <param name="database">The name of a data source; null counts all.</param>
    public StatementCount(string? database = null)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument is { Meter.Name: "Npgsql", Name: "db.client.operation.duration" })
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<double>((_, _, tags, _) =>
        {
            if (_isRunning && (database is null || tags.ToArray().Any(tag => tag.Key == "db.client.connection.pool.name" && database.Equals(tag.Value))))
            {
                Interlocked.Increment(ref _count);
            }
        });
        _listener.Start();
    }

    public int Count => _count;

    /// <summary>Whether it is counting now.</summary>
    public bool IsRunning
    {
        get => _isRunning;
        set => _isRunning = value;
    }

    public void Dispose() => _listener.Dispose();
}
