using System.Globalization;

namespace OrderInventory.AppHost.Infrastructure;

/// <summary>
/// The folder for the files of embedded servers: <c>Infrastructure:DataPath</c>, or one per start under the temp path that is deleted at stop.
/// </summary>
internal sealed class DataFolder : IDisposable
{
    private const string Prefix = "order-inventory-";
    private readonly FileStream? _lock;

    private DataFolder(string path, FileStream? fileLock)
    {
        Path = path;
        _lock = fileLock;
    }

    public string Path { get; }

    public bool IsKept => _lock is not null;

    public static DataFolder Open(string? dataPath)
    {
        if (dataPath is null)
        {
            DeleteLeftovers();
            var own = Directory.CreateTempSubdirectory(string.Create(CultureInfo.InvariantCulture, $"{Prefix}{Environment.ProcessId}-")).FullName;
            AllowEveryoneToEnter(own);
            return new DataFolder(own, null);
        }

        try
        {
            if (!Directory.Exists(dataPath))
            {
                Directory.CreateDirectory(dataPath);
                AllowEveryoneToEnter(dataPath);
            }

            // Locked while the system runs: two systems on the same files would destroy them.
            return new DataFolder(dataPath, new FileStream(System.IO.Path.Combine(dataPath, ".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (UnauthorizedAccessException)
        {
            throw new DistributedApplicationException($"Infrastructure:DataPath {dataPath} cannot be written by this user.");
        }
        catch (IOException)
        {
            throw new DistributedApplicationException($"Infrastructure:DataPath {dataPath} is in use by another running system (or is not a folder).");
        }
    }

    public string Sub(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Creates the folder of a server that runs as the current user; no other user can read its mails, topics or settings.</summary>
    public string CreatePrivateFolder(string name)
    {
        var folder = Directory.CreateDirectory(Sub(name)).FullName;
        RestrictToOwner(folder);
        return folder;
    }

    public void Dispose()
    {
        if (_lock is not null)
        {
            _lock.Dispose();
            return;
        }

        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            // An ending process has still written a file; the next start deletes the folder.
        }
    }

    /// <summary>Deletes the folders of killed AppHosts (kill -9); a folder's name has the process id of its owner.</summary>
    private static void DeleteLeftovers()
    {
        foreach (var folder in Directory.EnumerateDirectories(System.IO.Path.GetTempPath(), Prefix + "*"))
        {
            var owner = System.IO.Path.GetFileName(folder)[Prefix.Length..].Split('-')[0];
            if (int.TryParse(owner, NumberStyles.None, CultureInfo.InvariantCulture, out _) && !Directory.Exists($"/proc/{owner}"))
            {
                try
                {
                    Directory.Delete(folder, recursive: true);
                }
                catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
                {
                    // It belongs to another user, or another start is deleting it at the same time.
                }
            }
        }
    }

    /// <summary>Lets only the folder's owner enter.</summary>
    public static void RestrictToOwner(string folder) => SetMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

    // PostgreSQL may run as another user (never as root), who must be able to reach its own folder; the subfolders are closed.
    private static void AllowEveryoneToEnter(string folder) => SetMode(
        folder,
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);

    private static void SetMode(string folder, UnixFileMode mode)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(folder, mode);
        }
    }
}
