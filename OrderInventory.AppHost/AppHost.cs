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
    using var infrastructure = await InfrastructureChoice.MakeAsync(builder, settings);

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

        // Products asks Orders before it deletes. The two know each other, so neither waits for the other.
        products.WithReference(orders);
        // So does Inventory, whose report compares its reservations with the open orders.
        inventory.WithReference(orders);

        var notifications = builder.AddService<Projects.OrderInventory_Notifications>("notifications", settings)
            .WithIconName("MailMultiple")
            .WithReference(notificationsDb).WaitFor(notificationsDb)
            .WithKafka(kafka, infrastructure, settings)
            .WithReference(mail).WaitFor(mail)
            .WithReference(customers)
            .WithReference(orders)
            .WithReference(products);

        // An order's timeline shows who was told.
        orders.WithReference(notifications);

        var gateway = builder.AddService<Projects.OrderInventory_Gateway>("gateway", settings)
            .WithExternalHttpEndpoints()
            .WithIconName("DoorArrowRight")
            .WithReference(orders)
            .WithReference(inventory)
            .WithReference(products)
            .WithReference(customers)
            .WithReference(notifications)
            // Asked only where several gateways share their callers' limits.
            .WithReference(redis);

        // It asks the API as its people do, through the gateway, and they come to it through the gateway.
        var console = builder.AddService<Projects.OrderInventory_Console>("console", settings)
            .WithIconName("Desktop")
            .WithReference(gateway)
            .WithEnvironment(context =>
            {
                // So that a trace on a page is a link. Another place for traces is named by Console:Dashboard.
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
            // So that people stay signed in longer than one token lives.
            console.WithEnvironment("Authentication__Scope", "offline_access");
            // An operator's commands need somebody to be: elsewhere an operator calls the API with a token of their own.
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

    // Disposed before the infrastructure, also when the start was given up: its files are deleted when nothing uses them any more.
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
    // What keeps the system from starting is said in one sentence, not in a stack trace.
    Console.Error.WriteLine(problem.Message);
    return 1;
}
