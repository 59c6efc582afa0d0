using OrderInventory.Gateway;
using OrderInventory.ServiceDefaults;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.ServiceDiscovery;
using Yarp.ReverseProxy.Transforms;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddEdge();
builder.AddCallerLimits();
builder.Services.AddServiceHealthChecks();
// Only the AppHost sets it, for development.
var hasIssuer = builder.Configuration.GetSection("services:identity").Exists();
var signIn = builder.Configuration.GetSection("Authentication:Reference").Get<SignInSettings>() ?? (hasIssuer ? new("reference", "/connect/authorize", "/connect/token") : null);
builder.Services.AddReverseProxy()
    .LoadFromMemory(
        [.. SystemRoutes.Routes, SystemRoutes.ConsoleRoute, .. hasIssuer ? SystemRoutes.IssuerRoutes : []],
        [.. SystemRoutes.Clusters, SystemRoutes.ConsoleCluster, .. hasIssuer ? [SystemRoutes.IssuerCluster] : Array.Empty<ClusterConfig>()])
    .ConfigureHttpClient((_, handler) => handler.ConnectTimeout = TimeSpan.FromSeconds(2))
    .AddTransforms(context =>
    {
        context.AddResponseTransform(ForwardingErrors.PassCloseOnAsync);
        if (signIn is not null && SystemRoutes.IsOpenApi(context.Route))
        {
            context.AddResponseTransform(answer => ApiReference.AddSignInAsync(answer, signIn));
        }
    });
builder.Services.AddSingleton<IDestinationResolver, DiscoveredDestinations>();

var app = builder.Build();
app.UseEdge();
app.UseStreams();
// After authentication, because limits are per caller, and before any request is refused: refusing a token costs something too.
app.UseAuthentication();
app.UseRateLimiter();
app.MapServiceDefaults();
ProblemTypes.Map(app);
app.MapApiReference(signIn);
app.MapReverseProxy(proxy => proxy.Use(ForwardingErrors.HandleAsync));
app.RunUntilStopped();
