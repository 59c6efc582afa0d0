using System.Diagnostics;

namespace OrderInventory.Messaging;

/// <summary>Traces for timers: a timer's work belongs to no request, but events, ledger and timeline need its trace id.</summary>
public static class TimerTrace
{
    /// <summary>Starts a trace for work that a timer has found; dispose of the result when the work is done.</summary>
    public static Activity Start(string name)
    {
        Activity.Current = null;
        return MessagingTelemetry.Source.StartActivity(name) ?? new Activity(name).Start();
    }
}
