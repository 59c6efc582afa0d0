using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.Http.Resilience;
using Polly;

namespace OrderInventory.Notifications.Clients;

/// <summary>Customers' addresses. They are asked for when something is sent and kept nowhere but with what was sent.</summary>
internal sealed partial class CustomersClient(HttpClient http, ILogger<CustomersClient> logger)
{
    /// <summary>Most ids of one call.</summary>
    public const int MaxIds = 100;

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    /// <summary>Those of the customers that exist, by id; null when Customers does not answer.</summary>
    public async Task<IReadOnlyDictionary<Guid, Customer>?> FindAsync(IReadOnlyCollection<Guid> ids, CancellationToken cancellationToken)
    {
        try
        {
            var page = await http.GetFromJsonAsync<CustomerPage>(
                $"/api/customers?limit={MaxIds}&ids={string.Join(',', ids)}", s_json, cancellationToken);
            return page!.Items.ToDictionary(c => c.Id);
        }
        catch (Exception exception) when (exception is HttpRequestException or ExecutionRejectedException or JsonException
            || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            LogUnavailable(exception.GetType().Name);
            return null;
        }
    }

    public sealed record Customer(Guid Id, string? Name, string? Email, string? Phone, string? Language, string? Status);

    private sealed record CustomerPage(IReadOnlyList<Customer> Items);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Customers does not answer ({Reason}); notifications wait")]
    private partial void LogUnavailable(string reason);
}

internal static class CustomersClientExtensions
{
    /// <summary>Two quick retries for a replica that is just going away; anything longer is the sender's own backoff.</summary>
    public static void AddCustomersClient(this IServiceCollection services) =>
        services.AddHttpClient<CustomersClient>(client => client.BaseAddress = new("http://customers"))
            // The sender keeps its client for good, so connections rather than handlers are renewed when addresses change.
            .UseSocketsHttpHandler((handler, _) => handler.PooledConnectionLifetime = TimeSpan.FromMinutes(2))
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan)
            .AddStandardResilienceHandler(options =>
            {
                options.AttemptTimeout.Timeout = TimeSpan.FromSeconds(3);
                options.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(10);
                options.Retry.MaxRetryAttempts = 2;
                options.Retry.Delay = TimeSpan.FromMilliseconds(100);
                options.CircuitBreaker.SamplingDuration = TimeSpan.FromSeconds(10);
                options.CircuitBreaker.MinimumThroughput = 5;
                options.CircuitBreaker.BreakDuration = TimeSpan.FromSeconds(2);
            });
}
