using System.Diagnostics;

namespace OrderInventory.Messaging;

/// <summary>What a timer does belongs to no request, and still to one trace: events, ledger and timeline name it.</summary>
public static class TimerTrace
{
    /// <summary>Begins a trace for work that a timer has found; dispose of it when the work is done.</summary>
    public static Activity Start(string name)
    {
        Activity.Current = null;
        return MessagingTelemetry.Source.StartActivity(name) ?? new Activity(name).Start();
    }
}
