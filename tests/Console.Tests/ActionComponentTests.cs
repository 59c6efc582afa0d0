using System.Net;
using System.Security.Claims;
using System.Text;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using OrderInventory.Console.Access;
using OrderInventory.Console.Api;
using OrderInventory.Console.Components.Parts;

namespace OrderInventory.Console.Tests;

/// <summary>What a form sends again after its response was lost.</summary>
public sealed class ActionComponentTests
{
    [Fact]
    public async Task The_same_content_keeps_its_Idempotency_Key_until_it_has_succeeded()
    {
        using var gateway = new Gateway();
        var form = new Form();
        var api = new ShopApi(gateway, new Nobody(), new(new NoOptions(), new FakeTimeProvider(), NullLogger<Sessions>.Instance));
        gateway.Answers = HttpStatusCode.ServiceUnavailable;
        Assert.NotNull((await form.SendAsync(api, 5)).Problem);
        gateway.Answers = HttpStatusCode.Created;
        Assert.Null((await form.SendAsync(api, 5)).Problem);
        Assert.Null((await form.SendAsync(api, 5)).Problem);
        gateway.Answers = HttpStatusCode.ServiceUnavailable;
        Assert.NotNull((await form.SendAsync(api, 6)).Problem);
        Assert.NotNull((await form.SendAsync(api, 7)).Problem);

        Assert.Equal(gateway.Keys[0], gateway.Keys[1]);
        Assert.Equal(4, gateway.Keys.Distinct().Count());
    }

    private sealed class Form : ActionComponent
    {
        internal Task<Answer<object>> SendAsync(ShopApi api, int quantity) => PostAsync<object>(api, "/api/returns", new { quantity });
    }

    private sealed class Gateway : HttpMessageHandler, IHttpClientFactory
    {
        public List<string> Keys { get; } = [];

        public HttpStatusCode Answers { get; set; }

        public HttpClient CreateClient(string name) => new(this, disposeHandler: false) { BaseAddress = new("http://gateway.example") };

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Keys.Add(Assert.Single(request.Headers.GetValues("Idempotency-Key")));
            return Task.FromResult(new HttpResponseMessage(Answers) { Content = new StringContent("{}", Encoding.UTF8, "application/json") });
        }
    }

    private sealed class Nobody : AuthenticationStateProvider
    {
        public override Task<AuthenticationState> GetAuthenticationStateAsync() => Task.FromResult(new AuthenticationState(new ClaimsPrincipal()));
    }

    private sealed class NoOptions : IOptionsMonitor<OpenIdConnectOptions>
    {
        public OpenIdConnectOptions CurrentValue => new();

        public OpenIdConnectOptions Get(string? name) => new();

        public IDisposable? OnChange(Action<OpenIdConnectOptions, string?> listener) => null;
    }
}
