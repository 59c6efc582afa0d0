namespace Aspire.StackExchange.Redis;

public sealed class StackExchangeRedisSettings
{
    public string? ConnectionString { get; set; }
    public bool DisableHealthChecks { get; set; }

    /// <summary>Accepted and without effect: the instrumentation that the real package vendors is not part of the shim.</summary>
    public bool DisableTracing { get; set; }

    public bool DisableAutoActivation { get; set; } = true;
}
