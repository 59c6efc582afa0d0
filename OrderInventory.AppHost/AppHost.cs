using Microsoft.Extensions.Configuration;
using OrderInventory.AppHost;
using OrderInventory.AppHost.Infrastructure;

try
{
    var settings = new AppHostSettings(args);
    settings.ThrowIfAPortIsTaken();

    var builder = DistributedApplication.CreateBuilder(settings.ApplicationOptions);
    builder.Configuration.AddInMemoryCollection(AppHostSettings.Defaults.Where(setting => builder.Configuration[setting.Key] is null));
    builder.AddPromptHealthChecks();
    using var infrastructure = await InfrastructureChoice.CreateAsync(builder, settings);

    infrastructure.AddPostgres("postgres");
    var redis = infrastructure.AddRedis("redis");
    var kafka = infrastructure.AddKafka("kafka");

    if (!settings.InfrastructureOnly)
    {
        var mail = infrastructure.AddMail("mail");

        var ordersDb = infrastructure.AddDatabase("ordersdb", "orders");
        var inventoryDb = infrastructure.AddDatabase("inventorydb", "inventory");
        var productsDb = infrastructure.AddDatabase("productsdb", "products");
        var customersDb = infrastructure.AddDatabase("customersdb", "customers");
        var notificationsDb = infrastructure.AddDatabase("notificationsdb", "notifications");

        var customers = builder.AddService<Projects.OrderInventory_Customers>("customers", settings)
            .WithIconName("People")
            .WithReference(customersDb).WaitFor(customersDb)
            .WithKafka(kafka, infrastructure, settings);

        var inventory = builder.AddService<Projects.OrderInventory_Inventory>("inventory", settings)
            .WithIconName("BoxMultiple")
            .WithReference(inventoryDb).WaitFor(inventoryDb)
            .WithReference(redis).WaitFor(redis)
            .WithKafka(kafka, infrastructure, settings);

        var products = builder.AddService<Projects.OrderInventory_Products>("products", settings)
            .WithIconName("Tag")
            .WithReference(productsDb).WaitFor(productsDb)
            .WithReference(redis).WaitFor(redis)
            .WithKafka(kafka, infrastructure, settings);

        var orders = builder.AddService<Projects.OrderInventory_Orders>("orders", settings)
            .WithIconName("Receipt")
            .WithReference(ordersDb).WaitFor(ordersDb)
            .WithReference(redis).WaitFor(redis)
            .WithKafka(kafka, infrastructure, settings)
            .WithReference(customers)
            .WithReference(inventory)
            .WithReference(products);

        // Products calls Orders before it deletes a product. The references are mutual, so neither waits for the other.
        products.WithReference(orders);
        // Inventory calls Orders too: its reconciliation compares reservations with the open orders.
        inventory.WithReference(orders);

        var notifications = builder.AddService<Projects.OrderInventory_Notifications>("notifications", settings)
            .WithIconName("MailMultiple")
            .WithReference(notificationsDb).WaitFor(notificationsDb)
            .WithKafka(kafka, infrastructure, settings)
            .WithReference(mail).WaitFor(mail)
            .WithReference(customers)
            .WithReference(orders)
            .WithReference(products);

        // An order's timeline shows its notifications.
        orders.WithReference(notifications);

        var gateway = builder.AddService<Projects.OrderInventory_Gateway>("gateway", settings)
            .WithExternalHttpEndpoints()
            .WithIconName("DoorArrowRight")
            .WithReference(orders)
            .WithReference(inventory)
            .WithReference(products)
            .WithReference(customers)
            .WithReference(notifications)
            // Used only where several gateways share their callers' rate limits.
            .WithReference(redis);

        // The console calls the API through the gateway, with its users' tokens, and its users reach it through the gateway.
        var console = builder.AddService<Projects.OrderInventory_Console>("console", settings)
            .WithIconName("Desktop")
            .WithReference(gateway)
            .WithEnvironment(context =>
            {
                // Turns a trace on a page into a link. Console:Dashboard names another place for traces.
                if (context.ExecutionContext.IsRunMode && StartupReport.DashboardOf(builder.Configuration) is { } dashboard
                    && !settings.ServiceSettings("console").Any(setting => setting.Key.Equals("Console:Dashboard", StringComparison.OrdinalIgnoreCase)))
                {
                    context.EnvironmentVariables["Console__Dashboard"] = dashboard;
                }
            });
        gateway.WithReference(console);

        var issuer = builder.AddAuthentication(settings, infrastructure, gateway, orders, inventory, products, customers, notifications, console);
        if (issuer is not null)
        {
            // People stay signed in longer than one token lives.
            console.WithEnvironment("Authentication__Scope", "offline_access");
            // These commands use the issuer's administrator; with another provider, an operator calls the API with their own token.
            gateway.WithDemoCommands(issuer);
            inventory.WithReconcileCommand(issuer);
            foreach (var consumer in new[] { orders, inventory, notifications })
            {
                consumer.WithReplayCommand(issuer);
            }
        }

        settings.ThrowIfAServiceIsUnknown([.. builder.Resources.OfType<ProjectResource>().Select(service => service.Name)]);
        builder.AddSupervision(settings);
        builder.AddStartupReport(infrastructure, settings);
    }

    // Disposed before the infrastructure, even after an aborted start, so that the infrastructure's files are deleted when nothing uses them.
    await using var application = builder.Build();
    await application.RunAsync();
    return Environment.ExitCode;
}
catch (OperationCanceledException) when (!AppHostSettings.RunsInsideATest)
{
    // Stopped while it was still starting.
    return Environment.ExitCode;
}
catch (DistributedApplicationException problem) when (!AppHostSettings.RunsInsideATest)
{
    // An error that prevents the start is reported in one sentence, not in a stack trace.
    Console.Error.WriteLine(problem.Message);
    return 1;
}
