using Microsoft.AspNetCore.Authentication.Cookies;
using OrderInventory.Identity;
using OrderInventory.Identity.Data;
using OrderInventory.Identity.Features;
using OrderInventory.ServiceDefaults;
using OrderInventory.ServiceDefaults.Data;

var builder = WebApplication.CreateBuilder(args);
if (!builder.Environment.IsDevelopment())
{
    throw new InvalidOperationException("This issuer has only demo accounts and is for development. Set Authentication:Authority to your own OpenID Connect provider.");
}

builder.AddServiceDefaults(checksTokens: false);
builder.AddServiceDatabase<IdentityDb>("identitydb");
builder.Services.AddOptions<IdentityOptions>().BindConfiguration("Identity").ValidateDataAnnotations().ValidateOnStart();
builder.AddIssuer();
builder.Services.AddHostedService<SeedClients>();
builder.Services.AddAuthorization();
builder.Services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme)
    .AddCookie(cookie => (cookie.Cookie.Name, cookie.LoginPath, cookie.ReturnUrlParameter) = ("order-inventory-sign-in", SignIn.Path, "returnUrl"));

var app = builder.Build();
app.MapServiceDefaults();
var issuer = app.MapGroup("").AllowAnonymous();
issuer.MapPost(Issuer.TokenPath, (Delegate)IssueToken.HandleAsync);
issuer.MapMethods(Issuer.AuthorizePath, ["GET", "POST"], (Delegate)Authorize.HandleAsync);
issuer.MapMethods(Issuer.EndSessionPath, ["GET", "POST"], (Delegate)SignOut.HandleAsync);
issuer.MapGet(SignIn.Path, SignIn.Show);
issuer.MapPost(SignIn.Path, SignIn.HandleAsync).DisableAntiforgery();
app.RunUntilStopped();
