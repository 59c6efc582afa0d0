using System.Diagnostics.CodeAnalysis;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using OpenTelemetry;

namespace OrderInventory.ServiceDefaults.Data;

/// <summary>A number that is read from the database.</summary>
/// <param name="Name">The metric's name, such as <c>messaging.outbox.length</c>.</param>
/// <param name="Unit">The unit, in UCUM.</param>
/// <param name="Description">The metric's description, for people.</param>
public sealed record DatabaseGauge(string Name, string Unit, string Description);

public static class DatabaseGaugesExtensions
{
    /// <summary>
    /// Adds gauges that are read from the service's database. It is queried only when metrics are collected: without a collector, this costs nothing.
    /// While the database does not answer, the gauges report no values.
    /// </summary>
    /// <param name="builder">The service.</param>
    /// <param name="meter">The meter's name; those that begin with <c>OrderInventory.</c> are exported.</param>
    /// <param name="every">How old the values may be before the database is queried again.</param>
    /// <param name="sql">One row: for each gauge a column of type <c>float8</c>.</param>
    /// <param name="gauges">In the order of the columns.</param>
    public static void AddDatabaseGauges(this IHostApplicationBuilder builder, string meter, TimeSpan every, string sql, params DatabaseGauge[] gauges) =>
        builder.Services.AddSingleton<IHostedService>(services => new DatabaseGauges(
            services.GetRequiredService<NpgsqlDataSource>(), services.GetRequiredService<TimeProvider>(), services.GetRequiredService<ILogger<DatabaseGauges>>(), meter, every, sql, gauges));
}

internal sealed partial class DatabaseGauges(
    NpgsqlDataSource database, TimeProvider time, ILogger<DatabaseGauges> logger, string meter, TimeSpan every, string sql, DatabaseGauge[] gauges) : IHostedService, IDisposable
{
    private const int TimeoutSeconds = 10;
    private readonly Meter _meter = new(meter);
    private readonly Lock _lock = new();
    private double?[] _values = [];
    private long? _queriedAt;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        for (var i = 0; i < gauges.Length; i++)
        {
            var column = i;
            _meter.CreateObservableGauge(gauges[i].Name, () => Read(column), gauges[i].Unit, gauges[i].Description);
        }

        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _meter.Dispose();

    private IEnumerable<Measurement<double>> Read(int column)
    {
        lock (_lock)
        {
            if (_queriedAt is not { } queriedAt || time.GetElapsedTime(queriedAt) >= every)
            {
                _queriedAt = time.GetTimestamp();
                _values = Query();
            }

            return column < _values.Length && _values[column] is { } value ? [new(value)] : [];
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "After any failure, the exporter's other metrics must still be exported.")]
    private double?[] Query()
    {
        // This query belongs to no trace; otherwise each one would start a trace of its own.
        using var quiet = SuppressInstrumentationScope.Begin();
        try
        {
            using var command = database.CreateCommand(sql);
            command.CommandTimeout = TimeoutSeconds;
            using var reader = command.ExecuteReader();
            reader.Read();
            return [.. Enumerable.Range(0, gauges.Length).Select(i => reader.IsDBNull(i) ? (double?)null : reader.GetDouble(i))];
        }
        catch (Exception problem)
        {
            LogFailed(problem, meter);
            return [];
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The gauges of {Meter} could not be read")]
    private partial void LogFailed(Exception exception, string meter);
}
