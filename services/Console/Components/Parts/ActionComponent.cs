using System.Text.Json;
using Microsoft.AspNetCore.Components;
using OrderInventory.Console.Api;

namespace OrderInventory.Console.Components.Parts;

/// <summary>
/// A component with actions that change something. One action runs at a time, and the next one can start only when the browser has drawn the
/// result: a second click, or Enter pressed twice, that was on its way meanwhile does nothing.
/// </summary>
public abstract class ActionComponent : ComponentBase
{
    /// <summary>Renders that the browser has not drawn yet; the first one has begun. It draws and confirms them in their order.</summary>
    private int _undrawn = 1;

    /// <summary>How many renders the browser still has to draw until it shows the result of an action; 0 when it does not wait for one.</summary>
    private int _untilResult;

    private (string Content, string Key)? _sent;
    private Func<ElementReference>? _focus;

    /// <summary>Whether an action runs, or its result is not drawn yet. An action that is started meanwhile does nothing.</summary>
    protected bool IsBusy { get; private set; }

    /// <summary>The aria-disabled of a button that starts an action. A button that is really disabled would lose the focus.</summary>
    protected string? BusyState => IsBusy ? "true" : null;

    /// <summary>Runs an action, unless one is running.</summary>
    protected async Task RunAsync(Func<Task> action)
    {
        if (IsBusy)
        {
            return;
        }

        IsBusy = true;
        try
        {
            await action();
        }
        finally
        {
            _untilResult = _undrawn + 1;
        }
    }

    /// <summary>Moves the focus when the result of the running action is drawn, because the button that started it will be gone.</summary>
    /// <param name="target">The element, which may not exist before.</param>
    protected void FocusOnResult(Func<ElementReference> target) => _focus = target;

    /// <summary>
    /// Posts what a form contains. Until that has succeeded, the same content keeps its Idempotency-Key: when only the response was lost, sending it
    /// again has no second effect.
    /// </summary>
    private protected async Task<Answer<T>> PostAsync<T>(ShopApi api, string path, object body, string? etag = null, CancellationToken cancellationToken = default)
    {
        var content = path + JsonSerializer.Serialize(body);
        var (_, key) = _sent is { } sent && sent.Content == content ? sent : (content, Guid.CreateVersion7().ToString());
        _sent = (content, key);
        var answer = await api.SendAsync<T>(HttpMethod.Post, path, body, etag, key, cancellationToken);
        _sent = answer.Problem is null ? null : _sent;
        return answer;
    }

    protected override bool ShouldRender()
    {
        _undrawn++;
        return true;
    }

    /// <summary>Is called after the browser has confirmed that it has drawn a render.</summary>
    protected override void OnAfterRender(bool firstRender)
    {
        _undrawn--;
        if (_untilResult > 0 && --_untilResult == 0)
        {
            IsBusy = false;
            StateHasChanged();
        }
    }

    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        if (!IsBusy && _focus is { } target)
        {
            _focus = null;
            await target().FocusAsync();
        }
    }
}
