using System.ComponentModel;
using System.Diagnostics;

namespace OrderInventory.AppHost.Infrastructure;

internal static class InfrastructureChoice
{
    /// <summary>
    /// Chooses before any resource is added: without a healthy runtime, Aspire leaves containers at "RuntimeUnhealthy", and resources that wait for
    /// them hang.
    /// </summary>
    public static async Task<IInfrastructure> CreateAsync(IDistributedApplicationBuilder builder, AppHostSettings settings)
    {
        var (mode, why) = await ChooseAsync(builder, settings.Mode);
        IInfrastructure infrastructure = mode switch
        {
            "containers" => new Containers(builder, settings),
            "embedded" => await Embedded.PrepareAsync(builder, settings),
            _ => new External(builder, settings),
        };

        if (builder.ExecutionContext.IsPublishMode)
        {
            return infrastructure;
        }

        Console.WriteLine($"Infrastructure: {mode} ({why}): {infrastructure.Description}.");
        return infrastructure;
    }

    private static async Task<(string Mode, string Why)> ChooseAsync(IDistributedApplicationBuilder builder, string requested)
    {
        switch (requested)
        {
            case "embedded" or "external" or "containers":
                return (requested, "as configured");
            case "auto" when builder.ExecutionContext.IsPublishMode:
                return ("containers", "publishing always uses containers");
            case "auto":
                return await IsRuntimeHealthyAsync()
                    ? ("containers", "a container runtime answers")
                    : ("embedded", "no container runtime answers");
            default:
                throw new DistributedApplicationException($"Infrastructure:Mode must be auto, containers, embedded or external, not '{requested}'.");
        }
    }

    /// <summary>Runs the same probe as Aspire's orchestrator; it takes about 80 ms.</summary>
    public static async Task<bool> IsRuntimeHealthyAsync()
    {
        var runtime = Environment.GetEnvironmentVariable("ASPIRE_CONTAINER_RUNTIME")
            ?? Environment.GetEnvironmentVariable("DOTNET_ASPIRE_CONTAINER_RUNTIME")
            ?? "docker";
        try
        {
            using var probe = Process.Start(new ProcessStartInfo(runtime, ["container", "ls", "-n", "1"])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            });
            using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            await probe!.WaitForExitAsync(timeout.Token);
            return probe.ExitCode == 0;
        }
        catch (Exception problem) when (problem is Win32Exception or OperationCanceledException)
        {
            return false;
        }
    }
}
