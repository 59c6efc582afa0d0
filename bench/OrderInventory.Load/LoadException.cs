namespace OrderInventory.Load;

/// <summary>What keeps the driver from measuring, in one sentence.</summary>
internal sealed class LoadException(string message) : Exception(message);

internal static class ExitCodes
{
    public const int Good = 0;

    /// <summary>Measured, but an order was lost, stayed undecided, or stock was oversold.</summary>
    public const int CheckFailed = 1;

    /// <summary>Not measured: wrong options, or a system that does not answer.</summary>
    public const int NotRun = 2;
}
