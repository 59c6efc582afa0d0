using System.Diagnostics;
using System.Diagnostics.Tracing;
using Microsoft.Diagnostics.NETCore.Client;
using Microsoft.Diagnostics.Tracing;
using Microsoft.Diagnostics.Tracing.Parsers;

namespace OrderInventory.Pages;

/// <summary>Memory of another process of .NET, after it has collected its garbage.</summary>
internal static class ConsoleMemory
{
    /// <returns>Bytes: the managed heap, and what is resident of the process in all.</returns>
    public static (long Heap, long Resident) Read(int process)
    {
        // The keyword asks for a full collection when the session begins.
        var provider = new EventPipeProvider("Microsoft-Windows-DotNETRuntime", EventLevel.Informational, (long)(ClrTraceEventParser.Keywords.GC | ClrTraceEventParser.Keywords.GCHeapCollect));
        using var session = new DiagnosticsClient(process).StartEventPipeSession(provider, requestRundown: false);
        using var source = new EventPipeEventSource(session.EventStream);
        long heap = 0;
        source.Clr.GCHeapStats += statistics =>
        {
            heap = statistics.TotalHeapSize;
            // Elsewhere: it ends when all that was sent has been read, which is done here.
            _ = Task.Run(session.Stop);
        };
        source.Process();
        using var told = Process.GetProcessById(process);
        return (heap, told.WorkingSet64);
    }
}
