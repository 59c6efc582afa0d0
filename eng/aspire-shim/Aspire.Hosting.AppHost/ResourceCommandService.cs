using Microsoft.Extensions.DependencyInjection;

namespace Aspire.Hosting.ApplicationModel;

public static class KnownResourceCommands
{
    public static readonly string StartCommand = "start";
    public static readonly string StopCommand = "stop";
}

public record ExecuteCommandResult(bool Success);

public class ResourceCommandService(IServiceProvider services)
{
    public async Task<ExecuteCommandResult> ExecuteCommandAsync(string resourceId, string commandName, CancellationToken cancellationToken = default)
    {
        var orchestrator = services.GetRequiredService<Orchestrator>();
        var resource = services.GetRequiredService<DistributedApplicationModel>().Resources.First(resource => resource.Name == resourceId);
        await (commandName == KnownResourceCommands.StartCommand
            ? orchestrator.StartProcessAsync(resource, cancellationToken)
            : orchestrator.StopProcessAsync(resource));
        return new ExecuteCommandResult(true);
    }
}
