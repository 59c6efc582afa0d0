using Microsoft.Extensions.DependencyInjection;

namespace Aspire.Hosting.ApplicationModel;

public static class KnownResourceCommands
{
    public static readonly string StartCommand = "start";
    public static readonly string StopCommand = "stop";
}

public sealed class ExecuteCommandResult
{
    public required bool Success { get; init; }
}

public class ResourceCommandService(IServiceProvider services)
{
    public async Task<ExecuteCommandResult> ExecuteCommandAsync(string resourceId, string commandName, CancellationToken cancellationToken = default)
    {
        var orchestrator = services.GetRequiredService<Orchestrator>();
        var resource = services.GetRequiredService<DistributedApplicationModel>().Resources.First(resource => resource.Name == resourceId);
        if (commandName == KnownResourceCommands.StopCommand)
        {
            await orchestrator.StopProcessAsync(resource);
        }
        else if (commandName == KnownResourceCommands.StartCommand)
        {
            await orchestrator.StartProcessAsync(resource, cancellationToken);
        }
        else
        {
            return new ExecuteCommandResult { Success = false };
        }

        return new ExecuteCommandResult { Success = true };
    }
}
