using MimeKit;

namespace OrderInventory.Notifications.Channels;

/// <summary>
/// Writes each mail as <c>{notification id}.eml</c> into a folder, for machines without a mail server and for mail systems that pick mails up
/// from a folder. Readers never see an incomplete file: it gets its name only when it is complete.
/// </summary>
internal sealed class PickupTransport(string folder) : IEmailTransport, IEmailConnection
{
    public Task<IEmailConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        try
        {
            Directory.CreateDirectory(folder);
            return Task.FromResult<IEmailConnection>(this);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ChannelUnavailableException($"The pickup folder cannot be created: {exception.Message}", exception);
        }
    }

    public async Task SendAsync(MimeMessage mail, CancellationToken cancellationToken)
    {
        // The Message-ID's left part is the notification's id; a mail that is sent again replaces its first copy.
        var name = mail.MessageId!.Split('@')[0];
        var temporary = Path.Combine(folder, $".{name}.{Guid.CreateVersion7():N}.tmp");
        try
        {
            await using (var file = File.Create(temporary))
            {
                await mail.WriteToAsync(file, cancellationToken);
            }

            File.Move(temporary, Path.Combine(folder, name + ".eml"), overwrite: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ChannelUnavailableException($"The pickup folder cannot be written: {exception.Message}", exception);
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
