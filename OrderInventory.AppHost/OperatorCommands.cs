using System.Globalization;
using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using OrderInventory.AppHost.Demo;

namespace OrderInventory.AppHost;

/// <summary>Commands that an operator runs on the system from the dashboard's resource page, or by <c>aspire resource NAME COMMAND</c>.</summary>
internal static class OperatorCommands
{
    public static IResourceBuilder<ProjectResource> WithDemoCommands(this IResourceBuilder<ProjectResource> gateway, DevelopmentIssuer issuer)
        => gateway
            .WithHttpCommand(issuer, "load-demo", "Load the demo shop", "A small catalogue, customers and orders; adds nothing twice.", "ShoppingBag", [], async (client, _, stop) =>
            {
                var output = new StringWriter();
                await new DemoLoader(client, output).LoadAsync(stop);
                return CommandResults.Success("The demo shop is loaded.", output.ToString());
            })
            .WithHttpCommand(issuer, "place-orders", "Place orders", "Places orders for random demo products, one after the other.", "Cart", [OrderCount], async (client, arguments, stop) =>
            {
                var count = int.Parse(arguments["count"].Value!, CultureInfo.InvariantCulture);
                var outcomes = await new DemoLoader(client, TextWriter.Null).PlaceAsync(count, stop);
                return CommandResults.Success(string.Join(", ", outcomes.OrderBy(outcome => outcome.Key).Select(outcome => $"{outcome.Value} {outcome.Key}")) + ".");
            });

    public static IResourceBuilder<ProjectResource> WithReconcileCommand(this IResourceBuilder<ProjectResource> inventory, DevelopmentIssuer issuer)
        => inventory.WithHttpCommand(issuer, "reconcile", "Reconcile", "Compares levels, ledger, reservations and open orders; changes nothing.", "Scales", [], async (client, _, stop) =>
        {
            var differences = new JsonArray();
            await foreach (var page in PagesAsync(client, "/api/inventory/reconciliation", stop))
            {
                foreach (var item in page.Where(item => !(bool)item!["balanced"]!))
                {
                    differences.Add(item!.DeepClone());
                }
            }

            return differences.Count == 0
                ? CommandResults.Success("The books balance.")
                : CommandResults.Failure($"{differences.Count} products differ.", differences.ToJsonString(), CommandResultFormat.Json);
        });

    public static IResourceBuilder<ProjectResource> WithReplayCommand(this IResourceBuilder<ProjectResource> service, DevelopmentIssuer issuer)
        => service.WithHttpCommand(issuer, "replay-dead-letters", "Replay dead letters", "Hands every dead letter to its handler again.", "ArrowRepeatAll", [], async (client, _, stop) =>
        {
            var path = $"/api/{service.Resource.Name}/dead-letters";
            // Collect all ids first: a dead letter that fails again stays in the list.
            var ids = new List<string>();
            await foreach (var page in PagesAsync(client, path, stop))
            {
                ids.AddRange(page.Select(letter => (string)letter!["id"]!));
            }

            foreach (var id in ids)
            {
                using var response = await client.PostAsync(new Uri($"{path}/{id}/replay", UriKind.Relative), null, stop);
                response.EnsureSuccessStatusCode();
            }

            return CommandResults.Success($"{ids.Count} dead letters were replayed; those that failed again are still in the list.");
        });

    private static IResourceBuilder<ProjectResource> WithHttpCommand(
        this IResourceBuilder<ProjectResource> service,
        DevelopmentIssuer issuer,
        string name,
        string title,
        string description,
        string icon,
        InteractionInput[] arguments,
        Func<HttpClient, InteractionInputCollection, CancellationToken, Task<ExecuteCommandResult>> executeAsync)
        => service.WithCommand(
            name,
            title,
            async context =>
            {
                try
                {
                    using var client = new HttpClient { BaseAddress = new Uri(service.GetEndpoint("http").Url) };
                    client.DefaultRequestHeaders.Authorization = await issuer.AdministratorAsync(context.CancellationToken);
                    return await executeAsync(client, context.Arguments, context.CancellationToken);
                }
                catch (HttpRequestException problem)
                {
                    return CommandResults.Failure(problem.Message);
                }
            },
            new CommandOptions
            {
                Description = description,
                IconName = icon,
                Arguments = arguments,
                ValidateArguments = ValidateAsync,
                UpdateState = state => state.ResourceSnapshot.HealthStatus == HealthStatus.Healthy
                    ? ResourceCommandState.Enabled
                    : ResourceCommandState.Disabled,
            });

    private const int MaxOrders = 1000;

    private static InteractionInput OrderCount => new()
    {
        Name = "count",
        Label = "Number of orders",
        Description = $"1 to {MaxOrders}",
        InputType = InputType.Number,
        Required = true,
        Value = "10",
    };

    private static Task ValidateAsync(InputsDialogValidationContext context)
    {
        foreach (var input in context.Inputs.Where(input => !IsCount(input.Value)))
        {
            context.AddValidationError(input, $"{input.Label}: a whole number, {input.Description}.");
        }

        return Task.CompletedTask;

        static bool IsCount(string? text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is >= 1 and <= MaxOrders;
    }

    private static async IAsyncEnumerable<JsonArray> PagesAsync(
        HttpClient client, string path, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? next = null;
        do
        {
            var page = await client.GetFromJsonAsync<JsonNode>(
                $"{path}?limit=100{(next is null ? "" : $"&cursor={Uri.EscapeDataString(next)}")}", cancellationToken);
            yield return page!["items"]!.AsArray();
            next = (string?)page["next"];
        }
        while (next is not null);
    }
}
