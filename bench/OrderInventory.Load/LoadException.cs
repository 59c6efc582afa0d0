namespace OrderInventory.Load;

/// <summary>The reason why the driver cannot measure, in one sentence.</summary>
internal sealed class LoadException(string message) : Exception(message);

internal static class ExitCodes
{
    public const int Good = 0;

    /// <summary>Measured, but an order was lost, undecided or without its notifications, or stock was oversold.</summary>
    public const int CheckFailed = 1;

    /// <summary>Not measured: wrong options, or a system that does not answer.</summary>
    public const int NotRun = 2;
}
