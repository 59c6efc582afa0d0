namespace OrderInventory.Notifications.Channels;

internal static class EmailTransports
{
    private const string Example = "Use smtp://host:port, smtp://user:password@host:port, smtps://… or file:///absolute/folder.";

    /// <summary>
    /// Chooses the transport by <c>ConnectionStrings:mail</c>. Without a usable value the service does not start: mails would only pile up.
    /// </summary>
    public static void AddEmailTransport(this IHostApplicationBuilder builder) =>
        builder.Services.AddSingleton(Create(builder.Configuration.GetConnectionString("mail")));

    internal static IEmailTransport Create(string? connectionString)
    {
        if (string.IsNullOrWhiteSpace(connectionString))
        {
            throw new InvalidOperationException($"ConnectionStrings:mail is missing: mails cannot be sent. {Example}");
        }

        if (Uri.TryCreate(connectionString, UriKind.Absolute, out var uri))
        {
            if (uri.Scheme == Uri.UriSchemeFile && uri.Host.Length == 0)
            {
                return new PickupTransport(uri.LocalPath);
            }

            if (uri.Scheme is "smtp" or "smtps" && uri.Host.Length > 0)
            {
                return new SmtpTransport(uri);
            }
        }

        // The value itself may hold a password, so it is not repeated.
        throw new InvalidOperationException($"ConnectionStrings:mail is not valid. {Example}");
    }
}
