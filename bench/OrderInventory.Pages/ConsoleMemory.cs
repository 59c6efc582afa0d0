using System.Diagnostics;
using System.Diagnostics.Tracing;
using Microsoft.Diagnostics.NETCore.Client;
using Microsoft.Diagnostics.Tracing;
using Microsoft.Diagnostics.Tracing.Parsers;

namespace OrderInventory.Pages;

/// <summary>Memory of another .NET process after a full garbage collection.</summary>
internal static class ConsoleMemory
{
    /// <returns>The size of the managed heap and the total resident memory, in bytes.</returns>
    public static (long Heap, long Resident) Read(int process)
    {
        // The keyword GCHeapCollect triggers a full collection when the session begins.
        var provider = new EventPipeProvider("Microsoft-Windows-DotNETRuntime", EventLevel.Informational, (long)(ClrTraceEventParser.Keywords.GC | ClrTraceEventParser.Keywords.GCHeapCollect));
        using var session = new DiagnosticsClient(process).StartEventPipeSession(provider, requestRundown: false);
        using var source = new EventPipeEventSource(session.EventStream);
        long heap = 0;
        source.Clr.GCHeapStats += statistics =>
        {
            heap = statistics.TotalHeapSize;
            // On another thread: Stop returns only when all events have been read, which happens on this thread.
            _ = Task.Run(session.Stop);
        };
        source.Process();
        using var told = Process.GetProcessById(process);
        return (heap, told.WorkingSet64);
    }
}
