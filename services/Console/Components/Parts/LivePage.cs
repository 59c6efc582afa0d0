using System.Diagnostics.CodeAnalysis;
using System.Security.Claims;
using System.Text.Json;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Authorization;
using OrderInventory.Console.Api;

namespace OrderInventory.Console.Components.Parts;

/// <summary>
/// A page that reads the API and follows its changes. Many changes at the same time cause one load. What has no changes in the stream, such as
/// products and dead letters, is loaded again from time to time.
/// </summary>
public abstract class LivePage : ActionComponent, IAsyncDisposable
{
    private static readonly TimeSpan s_refreshInterval = TimeSpan.FromSeconds(30);

    /// <summary>After this time a request that was not answered is repeated.</summary>
    private static readonly TimeSpan s_retryAfter = TimeSpan.FromSeconds(3);

    private readonly CancellationTokenSource _end = new();
    private ITimer? _timer;
    private bool _isRefreshRequested;
    private bool _isRefreshing;

    [Inject]
    private protected ShopApi Api { get; private set; } = null!;

    [Inject]
    private ChangeStream Stream { get; set; } = null!;

    [Inject]
    private TimeProvider Time { get; set; } = null!;

    [CascadingParameter]
    private Task<AuthenticationState> Authentication { get; set; } = null!;

    /// <summary>Who is signed in.</summary>
    protected ClaimsPrincipal User { get; private set; } = new();

    /// <summary>Why the page does not show what it should, or null. The next load replaces it.</summary>
    protected Problem? PageProblem { get; set => field = value is { IsPassing: true } ? value with { IsReloaded = true } : value; }

    /// <summary>Why the last action was refused, or null. It stays until the next action.</summary>
    protected Problem? ActionProblem { get; set; }

    /// <summary>Cancelled when the page is closed.</summary>
    protected CancellationToken PageClosed => _end.Token;

    /// <summary>Minimum time between two loads.</summary>
    protected virtual TimeSpan Pace => TimeSpan.FromSeconds(1);

    /// <summary>Whether a change concerns what the page shows.</summary>
    protected abstract bool Concerns(string change, JsonElement data);

    /// <summary>Reads what the page shows.</summary>
    protected abstract Task LoadAsync();

    protected override async Task OnInitializedAsync()
    {
        User = (await Authentication).User;
        Stream.Changed += TakeAsync;
        Stream.Reset += RequestRefreshAsync;
        _timer = Time.CreateTimer(_ => _ = RequestRefreshAsync(), null, s_refreshInterval, s_refreshInterval);
    }

    /// <summary>Retries soon after a transient failure, so that the page recovers by itself.</summary>
    protected override void OnAfterRender(bool firstRender)
    {
        base.OnAfterRender(firstRender);
        if (PageProblem is { IsPassing: true })
        {
            _timer?.Change(s_retryAfter, s_refreshInterval);
        }
    }

    public virtual async ValueTask DisposeAsync()
    {
        Stream.Changed -= TakeAsync;
        Stream.Reset -= RequestRefreshAsync;
        if (_timer is not null)
        {
            await _timer.DisposeAsync();
        }

        await _end.CancelAsync();
        _end.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Reads a page of a list from the API, for <see cref="LongList{TRow}"/>.</summary>
    /// <param name="path">The list's path.</param>
    /// <param name="cursor">Where it begins; null at the beginning.</param>
    /// <param name="query">Its filters; empty ones are left out.</param>
    /// <returns>Null when the API did not answer; then <see cref="PageProblem"/> says why.</returns>
    private protected async Task<ItemPage<TRow>?> ReadAsync<TRow>(string path, string? cursor, params (string, string?)[] query)
    {
        var answer = await Api.PageAsync<TRow>(path, cursor, PageClosed, query);
        var before = PageProblem;
        PageProblem = answer.Problem;
        if (PageProblem != before)
        {
            StateHasChanged();
        }

        return answer.Value;
    }

    private Task TakeAsync(string change, JsonElement data) => InvokeAsync(() => Concerns(change, data) ? RequestRefreshAsync() : Task.CompletedTask);

    private Task RequestRefreshAsync() => InvokeAsync(() =>
    {
        _isRefreshRequested = true;
        if (!_isRefreshing)
        {
            _isRefreshing = true;
            _ = RefreshAsync();
        }
    });

    [SuppressMessage("Design", "CA1031", Justification = "It is the page's failure, and shown as such.")]
    private async Task RefreshAsync()
    {
        try
        {
            while (_isRefreshRequested)
            {
                _isRefreshRequested = false;
                await LoadAsync();
                StateHasChanged();
                await Task.Delay(Pace, Time, PageClosed);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException)
        {
            // The page was closed.
        }
        catch (Exception exception)
        {
            await DispatchExceptionAsync(exception);
        }
        finally
        {
            _isRefreshing = false;
        }
    }
}
