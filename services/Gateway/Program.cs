using OrderInventory.Gateway;
using OrderInventory.ServiceDefaults;
using Scalar.AspNetCore;
using Yarp.ReverseProxy.ServiceDiscovery;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.Services.AddServiceHealthChecks();
builder.Services.AddReverseProxy()
    .LoadFromMemory(SystemRoutes.Routes, SystemRoutes.Clusters)
    .ConfigureHttpClient((_, handler) => handler.ConnectTimeout = TimeSpan.FromSeconds(2));
builder.Services.AddSingleton<IDestinationResolver, DiscoveredDestinations>();

var app = builder.Build();
app.MapServiceDefaults();
ProblemTypes.Map(app);
app.MapScalarApiReference("/", options =>
{
    options.WithTitle("OrderInventory").DisableDefaultFonts().DisableTelemetry().DisableAgent().DisableMcp();
    foreach (var service in SystemRoutes.Services)
    {
        options.AddDocument(service, service, $"/openapi/{service}.json", isDefault: service == "orders");
    }
});
app.MapReverseProxy(proxy => proxy.Use(ForwardingErrors.HandleAsync));
app.Run();
