using OrderInventory.Gateway;
using OrderInventory.ServiceDefaults;
using Yarp.ReverseProxy.ServiceDiscovery;
using Yarp.ReverseProxy.Transforms;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddEdge();
builder.AddCallerLimits();
builder.Services.AddServiceHealthChecks();
builder.Services.AddReverseProxy()
    .LoadFromMemory(SystemRoutes.Routes, SystemRoutes.Clusters)
    .ConfigureHttpClient((_, handler) => handler.ConnectTimeout = TimeSpan.FromSeconds(2))
    .AddTransforms(context => context.AddResponseTransform(ForwardingErrors.PassCloseOnAsync));
builder.Services.AddSingleton<IDestinationResolver, DiscoveredDestinations>();

var app = builder.Build();
app.UseEdge();
app.MapServiceDefaults();
app.UseRateLimiter();
ProblemTypes.Map(app);
app.MapApiReference();
app.MapReverseProxy(proxy => proxy.Use(ForwardingErrors.HandleAsync));
app.Run();
