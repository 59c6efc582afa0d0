using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace OrderInventory.Customers.Tests;

/// <summary>Keeps what would be written to the log, with exceptions as they would be printed.</summary>
public sealed class LogKeeper : ILoggerProvider
{
    private readonly ConcurrentQueue<string> _lines = new();

    public string All => string.Join('\n', _lines);

    public ILogger CreateLogger(string categoryName) => new Keeper(this);

    public void Dispose()
    {
    }

    private sealed class Keeper(LogKeeper owner) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
        {
            owner._lines.Enqueue(state.ToString() ?? "");
            return null;
        }

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            owner._lines.Enqueue($"{formatter(state, exception)} {exception}");
    }
}
